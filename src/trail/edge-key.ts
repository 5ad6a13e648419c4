import type { Action, FlowKey } from '../goldmane/decoder/decode.ts';

/** One row of `edge` is one of these. */
export interface EdgeKey {
  readonly srcNs: string;
  readonly dstNs: string;
  readonly action: Action;
}

/**
 * Whether a record counts in `edge`: workloads at both ends, in two different namespaces. A namespaced network set has a
 * namespace too, and is not a workload of it.
 */
function isEdge({ srcType, srcNamespace: src, dstType, dstNamespace: dst }: FlowKey): boolean {
  if (srcType !== 'workload' || dstType !== 'workload') return false;
  return src !== dst && src !== '' && dst !== '' && src !== '-' && dst !== '-';
}

export function edgeKeyOf(key: FlowKey): EdgeKey | undefined {
  if (!isEdge(key)) return undefined;
  return { srcNs: key.srcNamespace, dstNs: key.dstNamespace, action: key.action };
}

/** A text key of an edge. It is unambiguous because names contain no control characters. */
export function edgeText({ srcNs, dstNs, action }: EdgeKey): string {
  return `${srcNs}\n${dstNs}\n${action}`;
}

/**
 * A map by edge that builds no text per lookup: recurring names are the same string objects, which maps find quickly.
 */
export class EdgeMap<Value> {
  readonly #bySource = new Map<string, Map<string, Map<Action, Value>>>();

  get({ srcNs, dstNs, action }: EdgeKey): Value | undefined {
    return this.#bySource.get(srcNs)?.get(dstNs)?.get(action);
  }

  set({ srcNs, dstNs, action }: EdgeKey, value: Value): void {
    let byDestination = this.#bySource.get(srcNs);
    if (!byDestination) this.#bySource.set(srcNs, (byDestination = new Map<string, Map<Action, Value>>()));
    const byAction = byDestination.get(dstNs);
    if (byAction) byAction.set(action, value);
    else byDestination.set(dstNs, new Map([[action, value]]));
  }

  values(): Value[] {
    return [...this.#bySource.values()].flatMap((byDestination) =>
      [...byDestination.values()].flatMap((byAction) => [...byAction.values()]),
    );
  }
}
