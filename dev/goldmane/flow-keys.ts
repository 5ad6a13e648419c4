import { createHash } from 'node:crypto';
import { encodeFlowKey } from './encode.ts';
import type { CompleteFlow } from './flow.ts';

/** A flow, and the identity of its flow key: the encoded key as text, with the trace in the given order. */
export interface IdentifiedFlow {
  readonly flow: CompleteFlow;
  readonly identity: string;
}

export function identify(flow: CompleteFlow): IdentifiedFlow {
  return { flow, identity: encodeFlowKey(flow).toString('latin1') };
}

/** A flow key in the ring. Ids count up within one run. */
export interface KnownKey {
  readonly identity: string;
  readonly id: number;
  readonly encodedKey: Buffer;
  /**
   * The number of buckets in which it has a window; at 0 the key is dropped, and gets a new id when it is seen again.
   */
  windows: number;
}

/**
 * The source of a key's id: a counter that restarts in every run, or the key's content. With the latter, a restart
 * looks like the same run, which is correct only if the new run receives everything that the old one had.
 */
export type KeyIds = 'counted' | 'of_content';

/** The flow keys in the ring, with their ids in this run. */
export class FlowKeys {
  readonly #known = new Map<string, KnownKey>();
  readonly #hits: 'as_given' | 'by_policy_index';
  readonly #ids: KeyIds;
  #lastId = 0;

  constructor(hits: 'as_given' | 'by_policy_index', ids: KeyIds = 'counted') {
    this.#hits = hits;
    this.#ids = ids;
  }

  get size(): number {
    return this.#known.size;
  }

  of(flow: CompleteFlow, identity: string): KnownKey {
    const known = this.#known.get(identity);
    if (known) return known;
    const encodedKey = encodeFlowKey(flow, this.#hits);
    const made: KnownKey = { identity, id: this.#idOf(identity), encodedKey, windows: 0 };
    this.#known.set(identity, made);
    return made;
  }

  drop(key: KnownKey): void {
    this.#known.delete(key.identity);
  }

  #idOf(identity: string): number {
    switch (this.#ids) {
      case 'counted':
        return ++this.#lastId;
      case 'of_content':
        return createHash('sha256').update(identity, 'latin1').digest().readUIntBE(0, 6);
    }
  }
}
