import { setMaxListeners } from 'node:events';
import type { Clock } from '../../src/time/clock.ts';
import { CollectorConnection, CollectorDisconnected, type CollectorTarget } from './collector-client.ts';
import type { Flow } from './flow.ts';
import { shuffled } from './shuffled.ts';

interface NodeOptions {
  target: CollectorTarget;
  clock: Clock;
  /** Default 15, plus up to 1.5 each time, as in calico-node. */
  flushSeconds?: number;
  jitterSeconds?: number;
  /** How long flows are kept for resending over a new connection. Default 300. */
  cacheSeconds?: number;
  /** Delay of each flush. Default 0. */
  lateSeconds?: number;
  /** In [0, 1). Default Math.random. */
  random?: () => number;
}

const BUFFERED_FLOWS = 5000;
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 10_000;

interface Remembered {
  flow: Flow;
  untilMs: number;
}

/**
 * One node: collects flows and flushes them slightly less often than every 15 s, one at a time, waiting for each
 * receipt. A failed send causes a reconnect, after which the node first resends everything flushed in the last five
 * minutes, in random order, whether or not it had arrived.
 */
export class SimulatedNode {
  readonly #options: Required<NodeOptions>;
  #gathered: Flow[] = [];
  #gatheringSinceSeconds: number;
  #outgoing: Flow[] = [];
  #cache: Remembered[] = [];
  #wake: (() => void) | undefined;
  connections = 0;
  sent = 0;
  resent = 0;
  /** Flows dropped because 5,000 were waiting. */
  dropped = 0;

  constructor(options: NodeOptions) {
    this.#options = {
      flushSeconds: 15,
      jitterSeconds: 1.5,
      cacheSeconds: 300,
      lateSeconds: 0,
      random: Math.random,
      ...options,
    };
    this.#gatheringSinceSeconds = Math.floor(this.#options.clock.now() / 1000);
  }

  /** Time of the last flush, in Unix seconds, which calico-node uses as the start time of flows in the next flush. */
  get gatheringSinceSeconds(): number {
    return this.#gatheringSinceSeconds;
  }

  /** Adds flows of this node; they are sent with the next flush. */
  observe(flows: readonly Flow[]): void {
    for (const flow of flows) this.#gathered.push(flow);
  }

  /** Flushes the collected flows at once. */
  flush(): void {
    const flows = this.#gathered;
    this.#gathered = [];
    this.#gatheringSinceSeconds = Math.floor(this.#options.clock.now() / 1000);
    this.#handOver(flows);
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    // Hundreds of nodes may share one signal.
    setMaxListeners(0, signal);
    await Promise.all([this.#flushRegularly(signal), this.#sendForever(signal)]);
  }

  #handOver(flows: readonly Flow[]): void {
    for (const flow of flows) {
      if (this.#outgoing.length < BUFFERED_FLOWS) this.#outgoing.push(flow);
      else this.dropped++;
    }
    this.#wake?.();
  }

  async #flushRegularly(signal: AbortSignal): Promise<void> {
    const { clock, flushSeconds, jitterSeconds, lateSeconds, random } = this.#options;
    let lastDelivery = Promise.resolve();
    while (!signal.aborted) {
      await pause(clock, (flushSeconds + random() * jitterSeconds) * 1000, signal);
      if (lateSeconds === 0) {
        this.flush();
        continue;
      }
      const flows = this.#gathered;
      this.#gathered = [];
      this.#gatheringSinceSeconds = Math.floor(clock.now() / 1000);
      const dueMs = clock.now() + lateSeconds * 1000;
      lastDelivery = lastDelivery.then(async () => {
        await pause(clock, dueMs - clock.now(), signal);
        this.#handOver(flows);
      });
    }
  }

  async #sendForever(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    let retryMs = FIRST_RETRY_MS;
    while (!signal.aborted) {
      const sentBefore = this.sent + this.resent;
      await this.#sendUntilDisconnected(signal);
      if (this.sent + this.resent > sentBefore) {
        retryMs = FIRST_RETRY_MS;
        continue;
      }
      await pause(clock, retryMs, signal);
      retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
    }
  }

  async #sendUntilDisconnected(signal: AbortSignal): Promise<void> {
    const connection = new CollectorConnection(this.#options.target);
    const end = (): void => {
      connection.abort();
      this.#wake?.();
    };
    signal.addEventListener('abort', end);
    this.connections++;
    try {
      for (const { flow } of this.#remembered()) {
        await connection.send(flow);
        this.resent++;
      }
      await this.#sendNew(connection, signal);
    } catch (error) {
      if (!(error instanceof CollectorDisconnected)) throw error;
    } finally {
      signal.removeEventListener('abort', end);
      connection.abort();
    }
  }

  async #sendNew(connection: CollectorConnection, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const flow = this.#outgoing.shift();
      if (!flow) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      this.#cache.push({ flow, untilMs: this.#options.clock.now() + this.#options.cacheSeconds * 1000 });
      await connection.send(flow);
      this.sent++;
    }
  }

  #remembered(): readonly Remembered[] {
    const nowMs = this.#options.clock.now();
    this.#cache = shuffled(this.#cache.filter(({ untilMs }) => untilMs > nowMs));
    return [...this.#cache];
  }
}

async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(ms, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
