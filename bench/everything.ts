import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../dev/ports.ts';
import { startSink } from '../test/support/http-sink.ts';
import { buildWorker } from './compile.ts';
import type { Lab } from './lab.ts';
import type { Row } from './table.ts';
import { userRecords } from './traffic.ts';
import { BenchWorker } from './worker.ts';

const section = 'everything';
/** Five clusters of the usual size. */
const size = 5 * userRecords;
const ringSeconds = 45 * 60;
const settleLimitMs = 600_000;

/**
 * Measures records per second, CPU and memory of the whole worker with every optional feature (map, traces, encrypted
 * payloads, Slack, heartbeat) while it catches up with the ring of a large cluster and then follows the stream.
 */
export async function everythingSection(lab: Lab, print: (line: string) => void): Promise<Row[]> {
  await buildWorker();
  const scratch = await mkdtemp(join(tmpdir(), 'flow-trail-everything-'));
  const sink = await startSink();
  try {
    const goldmane = await lab.goldmane();
    print(`everything: filling ${ringSeconds / 60} minutes, ${size} records per bucket`);
    const { records, fromSeconds, toSeconds } = await goldmane.fillRing(size, ringSeconds);
    const codecKeys = join(scratch, 'codec-keys');
    await writeFile(codecKeys, `bench:${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
    const worker = await BenchWorker.startWith(lab, goldmane, {
      MAP_PORT: String(await freePort()),
      OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
      TEMPORAL_CODEC_KEY_FILE: codecKeys,
      SLACK_WEBHOOK_URL: `${sink.url}/services/T0/B0/bench`,
      HEARTBEAT_URL: `${sink.url}/heartbeat`,
    });
    print('everything: the worker catches up');
    await worker.untilSettled(fromSeconds, fromSeconds + 15, settleLimitMs);
    const [startedAt, cpuBefore, residentBefore] = [
      performance.now(),
      await worker.cpuSeconds(),
      await worker.residentMiB(),
    ];
    await worker.untilSettled(fromSeconds, toSeconds, settleLimitMs);
    const seconds = (performance.now() - startedAt) / 1000;
    const cpu = (await worker.cpuSeconds()) - cpuBefore;
    const added = (await worker.residentMiB()) - residentBefore;
    const peak = await worker.peakMiB();
    await worker.stop();
    await goldmane.stop();
    const hundredThousands = records / 100_000;
    return [
      {
        section,
        what: 'records per second while it catches up',
        value: records / seconds,
        unit: '/s',
        note: `${records.toLocaleString('en-US')} records; it pauses for as long as each List call took`,
      },
      { section, what: 'CPU per 100,000 records', value: cpu / hundredThousands, unit: 's' },
      {
        section,
        what: 'resident memory added per 100,000 records',
        value: added / hundredThousands,
        unit: 'MiB',
      },
      { section, what: 'peak memory', value: peak, unit: 'MiB', limit: { atMost: 512 } },
      {
        section,
        what: 'requests with spans or heartbeats received',
        value: sink.received.length,
        unit: '',
        limit: { atLeast: 1 },
      },
    ];
  } finally {
    await sink.stop();
    await rm(scratch, { recursive: true, force: true });
  }
}
