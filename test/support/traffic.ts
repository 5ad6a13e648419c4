import type { Clock } from '../../src/time/clock.ts';
import type { Flow } from '../../dev/goldmane/flow.ts';
import type { GoldmaneStandIn } from '../../dev/goldmane/stand-in.ts';
import { sortEdges, type EdgeRow } from './capture.ts';

const bucketSeconds = 15;
const ringBuckets = 242;

export interface TrafficOptions {
  clock: Clock;
  /** Recurring connections per bucket, from a fixed set; each bucket also has unique connections. */
  recurring?: number;
  oneOff?: number;
  /** Fraction of flows that arrive after their bucket was sent, and the fraction of these that is minutes late. */
  lateShare?: number;
}

type Target = Pick<GoldmaneStandIn, 'ingest'> & Partial<Pick<GoldmaneStandIn, 'stats'>>;

/**
 * A cluster's flows, bucket after bucket, and the expected rows. Each bucket has recurring and unique connections, so
 * that any lost record is detected.
 */
export class Traffic {
  readonly #options: Required<TrafficOptions>;
  readonly #generated = new Map<string, Flow>();
  readonly #late: { flow: Flow; atMs: number }[] = [];
  #target: Target | undefined;
  /** Flows that arrived late, with their arrival time (milliseconds of the clock). */
  readonly lateArrivals: { flow: Flow; atMs: number }[] = [];
  #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #state = 42;
  fromSeconds = Number.POSITIVE_INFINITY;
  toSeconds = 0;
  /** How far the nodes' clocks are ahead of Goldmane's; shifts the times of their flows. */
  nodesAheadSeconds = 0;

  constructor(options: TrafficOptions) {
    this.#options = { recurring: 30, oneOff: 3, lateShare: 0.05, ...options };
  }

  /** Starts sending flows to this stand-in. `fill` adds flows of past buckets. */
  start(target: Target): void {
    this.#target = target;
    this.#stopping = new AbortController();
    const { signal } = this.#stopping;
    this.#running = this.#run(signal);
  }

  /** Sends further flows to another server, for example after a restart. */
  retarget(target: Target | undefined): void {
    this.#target = target;
  }

  /** Stops the traffic and sends pending late flows. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    this.#target?.ingest(this.#late.splice(0).map(({ flow }) => flow));
  }

  /** Fills the ring with past buckets, as on a server that has been running for a while. */
  fill(fromSeconds: number, toSeconds: number): void {
    for (let start = fromSeconds; start < toSeconds; start += bucketSeconds)
      this.#target?.ingest(this.bucket(start));
  }

  /** Sends these flows immediately and adds them to the generated ones. */
  add(flows: readonly Flow[]): void {
    for (const flow of flows) this.#generated.set(this.#text(flow), flow);
    this.#target?.ingest(flows);
  }

  /** The flows of the last five minutes, which nodes still have in their caches. */
  recent(untilSeconds: number): Flow[] {
    return [...this.#generated.values()].filter(
      ({ startSeconds }) => startSeconds >= untilSeconds - 300 && startSeconds < untilSeconds,
    );
  }

  /** Sends the flows in the nodes' caches again. */
  resend(untilSeconds: number): void {
    this.#target?.ingest(this.recent(untilSeconds));
  }

  /** Generates and stores a bucket's flows. */
  bucket(startSeconds: number): Flow[] {
    const { recurring, oneOff } = this.#options;
    const flows: Flow[] = [];
    for (let n = 0; n < recurring; n += 1)
      if (this.#random() < 0.8)
        flows.push({
          startSeconds,
          srcName: `web-${n % 7}-*`,
          srcNamespace: `team-${n % 9}`,
          dstName: 'db-*',
          dstNamespace: `store-${n % 4}`,
          dstPort: 5432 + (n % 3),
          reporter: n % 2 === 0 ? 'src' : 'dst',
          action: n % 11 === 0 ? 'deny' : 'allow',
        });
    for (let n = 0; n < oneOff; n += 1)
      flows.push({ startSeconds, srcNamespace: `once-${startSeconds}-${n}`, dstNamespace: 'store-0' });
    flows.push({ startSeconds, srcNamespace: 'team-0', dstNamespace: 'team-0' });
    flows.push({
      startSeconds,
      srcNamespace: 'team-0',
      dstNamespace: '-',
      dstType: 'network',
      dstName: 'pub',
    });
    for (const flow of flows) this.#generated.set(this.#text(flow), flow);
    this.fromSeconds = Math.min(this.fromSeconds, startSeconds);
    this.toSeconds = Math.max(this.toSeconds, startSeconds + bucketSeconds);
    return flows;
  }

  /** All flows generated so far, each once. */
  generatedFlows(): Flow[] {
    return [...this.#generated.values()];
  }

  /** The rows expected for all generated flows; `keep` can exclude buckets that were permanently lost. */
  expectedEdges(keep: (startSeconds: number, flow: Flow) => boolean = () => true): EdgeRow[] {
    const rows = new Map<string, EdgeRow>();
    for (const flow of this.#generated.values()) {
      const { startSeconds, srcNamespace = '', dstNamespace = '', action = 'allow' } = flow;
      if (!keep(startSeconds, flow) || srcNamespace === dstNamespace || dstNamespace === '-') continue;
      const key = `${srcNamespace} ${dstNamespace} ${action}`;
      const row = rows.get(key);
      if (row) {
        row.flow_count += 1;
        row.first_seen = Math.min(row.first_seen, startSeconds);
        row.last_seen = Math.max(row.last_seen, startSeconds + bucketSeconds);
      } else
        rows.set(key, {
          src_ns: srcNamespace,
          dst_ns: dstNamespace,
          action: String(action),
          first_seen: startSeconds,
          last_seen: startSeconds + bucketSeconds,
          flow_count: 1,
        });
    }
    return sortEdges([...rows.values()]);
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, lateShare } = this.#options;
    let done = Math.floor(clock.now() / 1000 / bucketSeconds) * bucketSeconds - bucketSeconds;
    while (!signal.aborted) {
      const nowMs = clock.now() + this.nodesAheadSeconds * 1000;
      const filling = Math.floor(nowMs / 1000 / bucketSeconds) * bucketSeconds;
      while (done < Math.min(filling, this.#newestTaken())) {
        done += bucketSeconds;
        const prompt: Flow[] = [];
        for (const flow of this.bucket(done)) {
          if (this.#random() >= lateShare) prompt.push(flow);
          else {
            const delaySeconds = this.#random() < 0.3 ? 60 + this.#random() * 200 : 35 + this.#random() * 20;
            this.#late.push({ flow, atMs: (done + delaySeconds) * 1000 });
          }
        }
        this.#target?.ingest(prompt);
      }
      const dueNow = this.#late.filter(({ atMs }) => atMs <= nowMs);
      if (dueNow.length > 0 && this.#target) {
        const waiting = this.#late.filter(({ atMs }) => atMs > nowMs);
        this.#late.splice(0, this.#late.length, ...waiting);
        this.#target.ingest(dueNow.map(({ flow }) => flow));
        for (const { flow } of dueNow) this.lateArrivals.push({ flow, atMs: nowMs });
      }
      await clock.sleep(2_000, signal).catch(() => undefined);
    }
  }

  /** The newest bucket that the server accepts. On a very fast clock, the server may begin a bucket late. */
  #newestTaken(): number {
    const oldest = this.#target?.stats?.().oldestBucketSeconds;
    return oldest === undefined ? Number.POSITIVE_INFINITY : oldest + (ringBuckets - 1) * bucketSeconds;
  }

  #text({
    startSeconds,
    srcName,
    srcNamespace,
    dstNamespace,
    dstPort,
    reporter,
    action,
    dstName,
  }: Flow): string {
    return [startSeconds, srcName, srcNamespace, dstName, dstNamespace, dstPort, reporter, action].join(' ');
  }

  /** A reproducible random number. */
  #random(): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#state / 2 ** 32;
  }
}
