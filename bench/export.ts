import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { buildWorker } from './compile.ts';
import type { Environment, Lab } from './lab.ts';
import { median, type Row } from './table.ts';
import { userRecords } from './traffic.ts';
import { BenchWorker } from './worker.ts';
import { listen } from '../dev/ports.ts';

const section = 'export';
const rounds = 3;
/** Five clusters of the usual size. */
const size = 5 * userRecords;
const ringSeconds = 30 * 60;
const settleLimitMs = 600_000;

/** How a receiver treats its requests. */
type Treatment = 'accepts' | 'hangs';

interface CatchUp {
  seconds: number;
  exportedBuckets: number;
}

/**
 * Measures whether the export of flow logs delays the trail: the time in which a worker settles the same ring without
 * an export, with a receiver that accepts each request at once (the most work), and with one that never responds.
 */
export async function exportSection(lab: Lab, print: (line: string) => void): Promise<Row[]> {
  await buildWorker();
  const without: CatchUp[] = [];
  const accepted: CatchUp[] = [];
  const hanging: CatchUp[] = [];
  for (let round = 0; round < rounds; round += 1) {
    without.push(await catchUp(lab, {}));
    accepted.push(await withReceiver('accepts', (env) => catchUp(lab, env)));
    hanging.push(await withReceiver('hangs', (env) => catchUp(lab, env)));
    const seconds = [without, accepted, hanging].map((runs) => runs.at(-1)?.seconds.toFixed(1));
    print(
      `export: the ring is settled in ${seconds.join(', ')} s (no export, receiver accepts, receiver hangs)`,
    );
  }
  const relative = (runs: readonly CatchUp[]) =>
    median(runs.map(({ seconds }, round) => seconds / (without[round]?.seconds ?? Number.NaN)));
  return [
    {
      section,
      what: 'time to settle the ring, receiver accepts, relative to no export',
      value: relative(accepted),
      unit: 'x',
      limit: { atMost: 1.25 },
      note: `${median(accepted.map(({ exportedBuckets }) => exportedBuckets))} buckets were exported meanwhile`,
    },
    {
      section,
      what: 'time to settle the ring, receiver hangs, relative to no export',
      value: relative(hanging),
      unit: 'x',
      limit: { atMost: 1.25 },
    },
    {
      section,
      what: 'time to settle the ring, no export',
      value: median(without.map(({ seconds }) => seconds)),
      unit: 's',
      note: `${size.toLocaleString('en-US')} records per bucket, ${ringSeconds / 60} minutes`,
    },
  ];
}

/** One worker with a new server and database: from the first settled bucket to the last. */
async function catchUp(lab: Lab, settings: Environment): Promise<CatchUp> {
  const goldmane = await lab.goldmane();
  const { fromSeconds, toSeconds } = await goldmane.fillRing(size, ringSeconds);
  const worker = await BenchWorker.startWith(lab, goldmane, settings);
  await worker.untilSettled(fromSeconds, fromSeconds + 15, settleLimitMs);
  const startedAt = performance.now();
  await worker.untilSettled(fromSeconds, toSeconds, settleLimitMs);
  const seconds = (performance.now() - startedAt) / 1000;
  const exportedBuckets = await worker.exportedBuckets();
  await worker.stop();
  await goldmane.stop();
  return { seconds, exportedBuckets };
}

async function withReceiver<Result>(
  treatment: Treatment,
  run: (settings: Environment) => Promise<Result>,
): Promise<Result> {
  const server = createServer((request, response: ServerResponse) => {
    request.resume();
    if (treatment === 'accepts')
      request.once('end', () => response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end());
  });
  const port = await listen(server);
  try {
    return await run({ OTLP_LOGS_ENDPOINT: `http://127.0.0.1:${port}` });
  } finally {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
}
