import type { FlowEvidence } from '../../trail/facts/evidence.ts';
import { groupBy } from '../../text/order.ts';
import { manyPorts } from '../../trail/many-ports.ts';

/** What the destination did with connections that the source's policy allowed. */
export type Arrival = 'arrived' | 'blocked' | 'contested';

/**
 * Returns a lookup of the destination's action on connections that the source's policy allowed. A connection that the
 * destination denies is reported twice, as an allow and as a deny: `blocked`. `contested`: the destination both allowed
 * and denied it.
 */
export function arrivals(evidence: readonly FlowEvidence[]): (fact: FlowEvidence) => Arrival {
  const byPort = groupBy(
    evidence.filter(({ reporter }) => reporter === 'dst'),
    (fact) => portKey(fact, fact.port),
  );
  return (fact) => {
    const ofPort = (port: number) =>
      byPort.get(portKey(fact, port))?.filter((answer) => isSameService(fact, answer)) ?? [];
    // Ports beyond the cap are stored as "many", which is the best available information about a single one.
    const own = ofPort(fact.port);
    const known = own.length > 0 ? own : ofPort(manyPorts);
    if (known.every(({ action }) => action !== 'deny')) return 'arrived';
    return known.some(({ action }) => action === 'allow') ? 'contested' : 'blocked';
  };
}

function portKey({ src, dst, protocol }: FlowEvidence, port: number): string {
  return [src.kind, src.ns, dst.kind, dst.ns, protocol, port].join('\n');
}

/** The two reports of a connection can carry different labels; a missing one matches any. */
function isSameService(a: FlowEvidence, b: FlowEvidence): boolean {
  const fits = (one: string, other: string) => one === other || one === '' || other === '';
  return fits(a.src.identity, b.src.identity) && fits(a.dst.identity, b.dst.identity);
}
