import type { Clock } from '../../src/time/clock.ts';
import { BoundedChannel } from './channel.ts';
import { decodeFlowUpdate } from './decode.ts';
import { completeFlow, type Flow } from './flow.ts';
import { drained, type CollectorCall } from './grpc-server.ts';
import { identify, type IdentifiedFlow } from './flow-keys.ts';

const QUEUED_FLOWS = 5000;
const WAIT_FOR_QUEUE_MS = 5_000;
const REMEMBER_MS = 5 * 60_000;
const FORGET_EVERY_MS = 30_000;
/** FlowReceipt has no fields. */
const RECEIPT = Buffer.alloc(0);

/** A node sent an update without a flow, or a flow without a key, which crashes the real server. */
export class FlowWithoutKey extends Error {
  override readonly name = 'FlowWithoutKey';
}

/**
 * The input queue: up to 5,000 flows of all nodes wait here for the main loop; if a node finds no space for 5 s, the
 * flow is lost. Flows repeated over the same connection within five minutes count as duplicates.
 */
export class Intake {
  readonly queue: BoundedChannel<IdentifiedFlow>;
  readonly #clock: Clock;
  readonly #wake: () => void;
  readonly #known = new Map<string, number>();
  #forgetAtMs = 0;
  received = 0;
  known = 0;
  dropped = 0;

  constructor(clock: Clock, wake: () => void) {
    this.#clock = clock;
    this.#wake = wake;
    this.queue = new BoundedChannel(QUEUED_FLOWS, clock);
  }

  /** Adds flows as from one node's connection, one after the other. */
  async receive(flows: readonly Flow[]): Promise<void> {
    for (const flow of flows) {
      const identified = identify(completeFlow(flow));
      if (this.queue.tryPush(identified)) this.#taken();
      else await this.#put(identified);
    }
  }

  /** FlowCollector.Connect: one receipt for each update, once it is queued for the main loop. */
  async serve(call: CollectorCall): Promise<void> {
    // The receipt of the last update may still be in transit when the iteration ends.
    const updates: AsyncIterable<Buffer> = call.iterator({ destroyOnReturn: false });
    for await (const update of updates) {
      const flow = decodeFlowUpdate(update);
      if (!flow) throw new FlowWithoutKey();
      const identified = identify(flow);
      if (this.#isKnown(identified, call.getPeer())) this.known++;
      else if (this.queue.tryPush(identified)) this.#taken();
      else await this.#put(identified);
      if (!call.write(RECEIPT)) await drained(call);
    }
  }

  #taken(): void {
    this.received++;
    this.#wake();
  }

  async #put(flow: IdentifiedFlow): Promise<void> {
    const taken = await this.queue.push(flow, WAIT_FOR_QUEUE_MS);
    if (!taken) this.dropped++;
    this.#taken();
  }

  #isKnown({ flow, identity }: IdentifiedFlow, peer: string): boolean {
    const nowMs = this.#clock.now();
    if (nowMs >= this.#forgetAtMs) this.#forget(nowMs);
    const key = `${peer}/${flow.startSeconds}/${flow.endSeconds}/${identity}`;
    if (this.#known.has(key)) return true;
    this.#known.set(key, nowMs + REMEMBER_MS);
    return false;
  }

  #forget(nowMs: number): void {
    this.#forgetAtMs = nowMs + FORGET_EVERY_MS;
    for (const [key, untilMs] of this.#known) if (untilMs < nowMs) this.#known.delete(key);
  }
}
