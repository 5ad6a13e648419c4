import { readFile } from 'node:fs/promises';
import { connect, type ClientHttp2Stream } from 'node:http2';
import { connectGoldmane, type GoldmaneConnection } from '../../src/goldmane/connection.ts';
import { FlowDecoder } from '../../src/goldmane/decoder/decode.ts';
import type { GoldmaneConfig } from '../../src/config/goldmane-config.ts';
import { foldList, type ListedBucket } from '../../src/trail/fold/fold-list.ts';
import { unpackHashes } from '../../src/trail/merge/hashes.ts';
import { saltedHasher } from '../../src/trail/merge/record-hash.ts';
import type { World } from './world.ts';
import { runToEnd } from './run-to-end.ts';

function targetOf(world: World): GoldmaneConfig {
  const {
    GOLDMANE_HOST: host = '',
    GOLDMANE_SERVER_NAME: serverName = '',
    TLS_CERT_PATH: certPath = '',
    TLS_KEY_PATH: keyPath = '',
    CA_CERT_PATH: caPath = '',
  } = world.workerEnv();
  return { host, serverName, certPath, keyPath, caPath, insecure: false, maxReceiveBytes: 64 * 1024 * 1024 };
}

/** Connects an additional reader to the world's Goldmane. */
export function connectReader(world: World): Promise<GoldmaneConnection> {
  return connectGoldmane(targetOf(world), { clock: world.clock, signal: new AbortController().signal });
}

/** The current content of these buckets in Goldmane's ring. */
export async function listRing(
  world: World,
  fromSeconds: number,
  toSeconds: number,
): Promise<ListedBucket[]> {
  const connection = await connectReader(world);
  const decoder = new FlowDecoder();
  const { signal } = new AbortController();
  const listed: ListedBucket[] = [];
  try {
    for (let start = fromSeconds; start < toSeconds; start += 15) {
      const raw = await connection.list(start, signal);
      listed.push(runToEnd(foldList(decoder, raw, start, { label: 'service-identity', namespaces: 'all' })));
    }
  } finally {
    connection.close();
  }
  return listed;
}

/** Records with traffic in this bucket of the ring that are not in the ledger. */
export async function missingFromLedger(world: World, bucket: ListedBucket): Promise<bigint[]> {
  const [row] = await world.db.database.query<{ streamed: Buffer; settled: Buffer; salt: Buffer }>(
    'select streamed, settled, salt from record_salt, bucket_ledger where bucket = to_timestamp($1)',
    [bucket.startSeconds],
  );
  if (!row) throw new Error(`the ledger has no row for ${bucket.startSeconds}`);
  const known = new Set([...unpackHashes(row.streamed), ...unpackHashes(row.settled)]);
  const hasher = saltedHasher(row.salt);
  return [...bucket.records].map(({ key }) => hasher.hashOf(key)).filter((hash) => !known.has(hash));
}

export interface SlowReader {
  disconnect(): void;
}

/** Opens another stream and reads `bytes` every `everyMs` (real time) from its connection, or nothing. */
export async function startSlowReader(
  world: World,
  pace: { bytes: number; everyMs: number } | 'stopped',
): Promise<SlowReader> {
  const { host, serverName, certPath, keyPath, caPath } = targetOf(world);
  const [ca, cert, key] = await Promise.all([caPath, certPath, keyPath].map((path) => readFile(path)));
  if (!ca || !cert || !key) throw new Error('the world has no certificates');
  const session = connect(`https://${host}`, { ca, cert, key, servername: serverName ?? 'goldmane' });
  session.on('error', () => undefined);
  const call: ClientHttp2Stream = session.request({
    ':method': 'POST',
    ':path': '/goldmane.Flows/Stream',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  call.on('error', () => undefined);
  // An empty message requests live records only.
  call.end(Buffer.alloc(5));
  const timer = pace === 'stopped' ? undefined : setInterval(() => void call.read(pace.bytes), pace.everyMs);
  return {
    disconnect() {
      clearInterval(timer);
      session.destroy();
    },
  };
}
