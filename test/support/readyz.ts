import { until } from './poll.ts';
import type { WorkerProcess } from './worker-process.ts';

export async function readyz({ httpPort }: WorkerProcess): Promise<{ ok: boolean; text: string }> {
  const response = await fetch(`http://127.0.0.1:${httpPort}/readyz`);
  return { ok: response.ok, text: await response.text() };
}

export function untilReady(worker: WorkerProcess): Promise<true> {
  return until('/readyz reports ready', async () => ((await readyz(worker)).ok ? true : undefined));
}

export function untilNotReady(worker: WorkerProcess, reason: RegExp): Promise<string> {
  return until(`/readyz gives the reason ${String(reason)}`, async () => {
    const { ok, text } = await readyz(worker);
    return !ok && reason.test(text) ? text : undefined;
  });
}
