import type { FlowEvidence } from '../../trail/evidence.ts';
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
  const byPair = groupBy(
    evidence.filter(({ reporter }) => reporter === 'dst'),
    pairKey,
  );
  return (fact) => {
    const answers = byPair.get(pairKey(fact))?.filter((answer) => isSameService(fact, answer)) ?? [];
    const ofPort = answers.filter(({ port }) => port === fact.port);
    // Ports beyond the cap are stored as "many", which is the best available information about a single one.
    const known = ofPort.length > 0 ? ofPort : answers.filter(({ port }) => port === manyPorts);
    if (known.every(({ action }) => action !== 'deny')) return 'arrived';
    return known.some(({ action }) => action === 'allow') ? 'contested' : 'blocked';
  };
}

function pairKey({ src, dst, protocol }: FlowEvidence): string {
  return [src.kind, src.ns, dst.kind, dst.ns, protocol].join('\n');
}

/** The two reports of a connection can carry different labels; a missing one matches any. */
function isSameService(a: FlowEvidence, b: FlowEvidence): boolean {
  const fits = (one: string, other: string) => one === other || one === '' || other === '';
  return fits(a.src.identity, b.src.identity) && fits(a.dst.identity, b.dst.identity);
}
