import type { Logger } from 'pino';
import { readSecretUrl } from '../config/read-secret-url.ts';
import { errorCode } from '../failure/thrown.ts';
import type { SecretUrl } from '../config/secret-url.ts';
import type { Heartbeat } from '../ingest/deps.ts';
import type { Clock } from '../time/clock.ts';

const defaultTimeoutMs = 10_000;
/** Services limit the calls per check; healthchecks.io allows five a minute. */
const intervalMs = 30_000;

interface HeartbeatOptions {
  clock: Clock;
  log: Logger;
  /** Aborts a running call. */
  signal: AbortSignal;
  /** `sent`, or why not. */
  onResult: (result: HeartbeatResult) => void;
  timeoutMs?: number;
}

type HeartbeatResult = 'sent' | 'timeout' | 'unreachable' | 'refused' | 'no_url';

/**
 * The dead-man switch: an external service alerts people when it has not been called for a while, so it works even if
 * the worker, Temporal and Slack do not. Protocol of healthchecks.io: GET on the URL after a success, POST to
 * `URL/fail` with the kind of the failure. Calls are not awaited and not retried, because the next round follows a
 * minute later. At most one call runs at a time.
 */
export function createHeartbeat(source: SecretUrl | undefined, options: HeartbeatOptions): Heartbeat {
  if (!source) return { succeeded: () => undefined, failed: () => undefined };
  const { clock, log, signal, onResult, timeoutMs = defaultTimeoutMs } = options;
  let isUnderWay = false;
  let last = { event: '', atMs: Number.NEGATIVE_INFINITY };
  let logged: HeartbeatResult = 'sent';
  const call = async (kind: string | undefined): Promise<void> => {
    const { result, reason } = await send(source, kind, signal, timeoutMs);
    if (signal.aborted) return;
    onResult(result);
    if (result === logged) return;
    logged = result;
    if (result === 'sent') log.info('The heartbeat was sent after failures');
    else log.warn({ reason }, 'The heartbeat could not be sent; it is retried after the next round');
  };
  const beat = (kind: string | undefined) => {
    const event = kind === undefined ? 'success' : 'failure';
    const nowMs = clock.elapsed();
    if (isUnderWay || signal.aborted || (event === last.event && nowMs < last.atMs + intervalMs)) return;
    last = { event, atMs: nowMs };
    isUnderWay = true;
    void call(kind).finally(() => (isUnderWay = false));
  };
  return { succeeded: () => beat(undefined), failed: (kind) => beat(kind) };
}

/**
 * Why a response does not count as a success despite its status 2xx. healthchecks.io answers a ping of an unknown check with
 * `OK (not found)` and one above its rate limit with `OK (rate limited)`; Uptime Kuma has `ok` in its JSON; a login page or a
 * captive portal is HTML. Source: healthchecks.io, pinging API, response codes.
 */
function problemIn(body: string): string | undefined {
  const remark = /^OK \(([a-z -]{1,40})\)/.exec(body)?.[1];
  if (remark !== undefined) return `the service responded with OK, but added "${remark}"`;
  if (/^\s*\{\s*"ok"\s*:\s*false\b/.test(body)) return 'the service responded with "ok": false';
  return /^\s*<(!doctype|html)\b/i.test(body) ? 'the response is an HTML page' : undefined;
}

/** The first bytes of a body; a service responds with a few words. */
async function readStart(response: Response): Promise<string> {
  const body: ReadableStream<Uint8Array> | null = response.body;
  const reader = body?.getReader();
  const first = await reader?.read();
  await reader?.cancel();
  return new TextDecoder().decode(first?.value?.subarray(0, 1_024));
}

/** Never rejects. The URL is in neither `reason` nor any other output. */
async function send(
  source: SecretUrl,
  kind: string | undefined,
  signal: AbortSignal,
  timeoutMs: number,
): Promise<{ result: HeartbeatResult; reason: string }> {
  const reading = await readSecretUrl(source, 'HEARTBEAT_URL');
  if ('problem' in reading) return { result: 'no_url', reason: `${reading.problem}; ${reading.cure}` };
  if (reading.url === undefined)
    return { result: 'no_url', reason: 'HEARTBEAT_URL_FILE is missing or empty; mount the Secret' };
  const url = new URL(reading.url);
  if (kind !== undefined) url.pathname = `${url.pathname.replace(/\/$/, '')}/fail`;
  try {
    const response = await fetch(url, {
      method: kind === undefined ? 'GET' : 'POST',
      ...(kind === undefined ? {} : { body: kind, headers: { 'content-type': 'text/plain' } }),
      // The URL is a secret: do not send it to a redirect target.
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    const problem = response.ok ? problemIn(await readStart(response)) : `status ${response.status}`;
    if (!response.ok) await response.body?.cancel();
    return problem === undefined
      ? { result: 'sent', reason: '' }
      : { result: 'refused', reason: `${problem}; check HEARTBEAT_URL` };
  } catch (error) {
    if (error instanceof Error && error.name === 'TimeoutError')
      return { result: 'timeout', reason: `no response within ${timeoutMs / 1000} s` };
    const code = errorCode(error instanceof Error ? error.cause : undefined, 'connection failed');
    return { result: 'unreachable', reason: `${code}; check that egress to the service is allowed` };
  }
}
