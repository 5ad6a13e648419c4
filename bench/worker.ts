import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { startWorkerProcess, type WorkerProcess } from '../test/support/worker-process.ts';
import type { BenchDatabase, BenchGoldmane, Lab } from './lab.ts';

const mib = 1024 * 1024;
/** USER_HZ, which is 100 on every architecture that Node runs on. */
const ticksPerSecond = 100;
const liveReadings = 8;
const betweenReadingsMs = 1_500;
const sampleEveryMs = 250;

/** The worker as in production, with its own Temporal server and database. */
export class BenchWorker {
  readonly database: BenchDatabase;
  readonly #process: WorkerProcess;
  readonly #stopTemporal: () => Promise<void>;
  readonly #sampling: NodeJS.Timeout;
  #peakAnonymousMiB = 0;

  private constructor(database: BenchDatabase, process_: WorkerProcess, stopTemporal: () => Promise<void>) {
    this.database = database;
    this.#process = process_;
    this.#stopTemporal = stopTemporal;
    this.#sampling = setInterval(() => void this.#sample(), sampleEveryMs);
  }

  static start(lab: Lab, goldmane: BenchGoldmane, ...flags: string[]): Promise<BenchWorker> {
    return BenchWorker.startWith(lab, goldmane, {}, ...flags);
  }

  /** @param settings additional environment variables */
  static async startWith(
    lab: Lab,
    goldmane: BenchGoldmane,
    settings: NodeJS.ProcessEnv,
    ...flags: string[]
  ): Promise<BenchWorker> {
    const [temporal, database] = [await lab.temporal(), await lab.database()];
    const started = await startWorkerProcess({
      ...goldmane.env,
      NODE_OPTIONS: [`--import=${pathToFileURL(lab.compiled('memory-probe.js')).href}`, ...flags].join(' '),
      DATABASE_URL: database.url,
      TEMPORAL_ADDRESS: temporal.address,
      LOG_LEVEL: 'warn',
      ...settings,
    });
    return new BenchWorker(database, started, () => temporal.stop());
  }

  async peakMiB(): Promise<number> {
    return (await this.#status('VmHWM')) / 1024;
  }

  /**
   * Peak of the memory that the kernel cannot drop, sampled four times a second: the resident memory without mapped files. A
   * container's limit must hold it.
   */
  peakAnonymousMiB(): number {
    return this.#peakAnonymousMiB;
  }

  async residentMiB(): Promise<number> {
    return (await this.#status('VmRSS')) / 1024;
  }

  /** User and system time of all its threads. */
  async cpuSeconds(): Promise<number> {
    const stat = await readFile(`/proc/${this.#process.process.pid}/stat`, 'utf8');
    // Fields 14 and 15 of proc_pid_stat(5); the second one, the name, may contain spaces.
    const [user, system] = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 13)
      .map(Number);
    return ((user ?? Number.NaN) + (system ?? Number.NaN)) / ticksPerSecond;
  }

  /**
   * Live memory of the main thread after a garbage collection; the lowest of several readings, because the worker is
   * never idle.
   */
  async liveMiB(): Promise<number> {
    const readings: number[] = [];
    for (let reading = 0; reading < liveReadings; reading += 1) {
      if (reading > 0) await delay(betweenReadingsMs);
      readings.push(await this.#liveNowMiB());
    }
    return Math.min(...readings);
  }

  async #liveNowMiB(): Promise<number> {
    const seen = this.#process.lines.length;
    this.#process.process.signal('SIGHUP');
    for (let tries = 0; tries < 200; tries += 1) {
      for (const line of this.#process.lines.slice(seen)) {
        const bytes = /^\{"liveBytes":(\d+)\}$/.exec(line)?.[1];
        if (bytes !== undefined) return Number(bytes) / mib;
      }
      await delay(50);
    }
    throw new Error('the worker does not report its live memory');
  }

  /** Buckets of a period that are settled or decided as a gap. */
  async settled(fromSeconds: number, toSeconds: number): Promise<number> {
    const [row] = await this.database.database.query<{ settled: number }>(
      `select count(*)::int as settled from bucket_ledger where (settled_at is not null or gap_cause is not null)
       and bucket >= to_timestamp($1) and bucket < to_timestamp($2)`,
      [fromSeconds, toSeconds],
    );
    return row?.settled ?? 0;
  }

  /** A summary of the buckets of a period: the number of settled ones, and of gaps per cause. */
  async outcome(fromSeconds: number, toSeconds: number): Promise<string> {
    const rows = await this.database.database.query<{ what: string; buckets: number }>(
      `select case when settled_at is null then 'gap: ' || gap_cause else 'settled' end as what, count(*)::int as buckets
       from bucket_ledger where (settled_at is not null or gap_cause is not null)
         and bucket >= to_timestamp($1) and bucket < to_timestamp($2) group by 1 order by 1 desc`,
      [fromSeconds, toSeconds],
    );
    return rows.map(({ what, buckets }) => `${buckets} ${what}`).join('; ');
  }

  /** Buckets whose flow logs were exported. */
  async exportedBuckets(): Promise<number> {
    const [row] = await this.database.database.query<{ buckets: number }>(
      'select count(done_at)::int as buckets from bucket_export',
    );
    return row?.buckets ?? 0;
  }

  /** Records counted in `edge`. */
  async countedRecords(): Promise<number> {
    const [row] = await this.database.database.query<{ records: number }>(
      'select coalesce(sum(flow_count), 0)::float8 as records from edge',
    );
    return row?.records ?? 0;
  }

  async untilSettled(fromSeconds: number, toSeconds: number, limitMs = 240_000): Promise<void> {
    const startedAt = performance.now();
    while ((await this.settled(fromSeconds, toSeconds)) < (toSeconds - fromSeconds) / 15) {
      this.throwIfEnded();
      if (performance.now() - startedAt > limitMs)
        throw new Error(`the worker did not settle in time\n${this.#lastLines()}`);
      await delay(200);
    }
  }

  throwIfEnded(): void {
    if (this.#process.process.hasExited()) throw new Error(`the worker has ended\n${this.#lastLines()}`);
  }

  async stop(): Promise<void> {
    clearInterval(this.#sampling);
    await this.#process.kill();
    await this.#stopTemporal();
  }

  /** Lets it finish its merge. The database stays. */
  async end(): Promise<void> {
    clearInterval(this.#sampling);
    await this.#process.terminate();
    await this.#stopTemporal();
  }

  async #sample(): Promise<void> {
    // A process that has just ended has no such field, or no file.
    const anonymousMiB = (await this.#status('RssAnon').catch(() => Number.NaN)) / 1024;
    if (anonymousMiB > this.#peakAnonymousMiB) this.#peakAnonymousMiB = anonymousMiB;
  }

  #lastLines(): string {
    return this.#process.lines.slice(-20).join('\n');
  }

  async #status(field: string): Promise<number> {
    const status = await readFile(`/proc/${this.#process.process.pid}/status`, 'utf8');
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? Number.NaN);
  }
}
