import { describeEnd } from './derive/describe-ends.ts';
import { portText } from './derive/rules.ts';
import { groupBy } from '../text/order.ts';
import type { NewConnection } from '../trail/facts/new-connections.ts';
import type { EdgeRow } from '../trail/edges/query-edges.ts';

/** New ports of one pair of endpoints. */
export interface NewPorts {
  /** Endpoints as printed by edges. */
  src: string;
  dst: string;
  /** For example `tcp 5432`. */
  ports: string[];
  action: string;
  firstSeen: Date;
  lastSeen: Date;
  /** Distinct records; a string, because it may exceed 2^53. */
  flowCount: string;
}

/** New connections by pair and action, newest first, without those of new edges, which are news by themselves. Pure. */
export function groupNewPorts(
  connections: readonly NewConnection[],
  isNewEdge: (edge: Pick<EdgeRow, 'srcNs' | 'dstNs' | 'action'>) => boolean,
): NewPorts[] {
  const notInNewEdges = connections.filter(
    ({ src, dst, action }) =>
      src.kind !== 'workload' ||
      dst.kind !== 'workload' ||
      !isNewEdge({ srcNs: src.ns, dstNs: dst.ns, action }),
  );
  const groups = groupBy(notInNewEdges, ({ src, dst, action }) =>
    [describeEnd(src), describeEnd(dst), action].join('\n'),
  );
  return [...groups.values()]
    .map((group) => {
      const [{ src, dst, action }] = group;
      const times = (pick: (connection: NewConnection) => Date) => group.map((each) => pick(each).getTime());
      return {
        src: describeEnd(src),
        dst: describeEnd(dst),
        ports: [...new Set(group.map(portText))],
        action,
        firstSeen: new Date(Math.min(...times(({ firstSeen }) => firstSeen))),
        lastSeen: new Date(Math.max(...times(({ lastSeen }) => lastSeen))),
        flowCount: String(group.reduce((sum, { flowCount }) => sum + BigInt(flowCount), 0n)),
      };
    })
    .toSorted((a, b) => b.firstSeen.getTime() - a.firstSeen.getTime());
}
