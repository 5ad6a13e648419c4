import type { Client } from '@grpc/grpc-js';
import { loadConfig } from '../src/config/config.ts';
import { readCertificates } from '../src/goldmane/certificates.ts';
import { createClient } from '../src/goldmane/connection.ts';
import { followStream } from '../src/goldmane/stream.ts';
import type { GoldmaneConfig } from '../src/config/goldmane-config.ts';
import { encoderOf } from '../dev/goldmane/messages.ts';

const encodeStreamRequest = encoderOf('FlowStreamRequest');
const asIs = (message: Buffer): Buffer => message;

export interface History {
  target: GoldmaneConfig;
  /** Negative: before the server's now. */
  fromSeconds: number;
  signal: AbortSignal;
  onMessage(raw: Buffer): unknown;
}

/**
 * Reads Goldmane's history through `Stream`, the way the worker reads live records; the worker itself never requests
 * history this way. Resolves when the signal aborts.
 */
export async function readHistory({ target, fromSeconds, signal, onMessage }: History): Promise<void> {
  const client = createClient(target, await readCertificates(target));
  const limits = { silenceMs: 15_000, answerMs: 15_000, signal, request: encodeRequest(fromSeconds) };
  try {
    await followStream(client, { onOpen: () => undefined, onMessage: (raw) => void onMessage(raw) }, limits);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    client.close();
  }
}

/** The same with a minimal client that only counts: grpc-js, its `data` event, the same channel options. */
export async function countHistory({ target, fromSeconds, signal, onMessage }: History): Promise<void> {
  const client: Client = createClient(target, await readCertificates(target));
  try {
    await new Promise<void>((resolve, reject) => {
      const call = client.makeServerStreamRequest(
        '/goldmane.Flows/Stream',
        asIs,
        asIs,
        encodeRequest(fromSeconds),
      );
      call.on('data', onMessage);
      call.on('error', (error) => (signal.aborted ? resolve() : reject(error)));
      call.on('end', () => reject(new Error('the server ended the stream')));
      signal.addEventListener('abort', () => {
        call.cancel();
        resolve();
      });
    });
  } finally {
    client.close();
  }
}

/** The Goldmane in the worker's settings. */
export function targetOf(env: NodeJS.ProcessEnv): GoldmaneConfig {
  return loadConfig({ DATABASE_URL: 'postgres://nobody@127.0.0.1/none', ...env }).goldmane;
}

function encodeRequest(fromSeconds: number): Buffer {
  return encodeStreamRequest({ start_time_gte: fromSeconds });
}
