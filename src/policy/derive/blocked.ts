import type { FlowEvidence } from '../../trail/evidence.ts';
import { manyPorts } from './model.ts';

/** What became of connections that their source was allowed to open. */
export type Arrival = 'arrived' | 'blocked' | 'contested';

/**
 * Finds what the destination said of connections that the source's policy allowed: one that was denied there is one
 * blocked connection, reported as an allow and as a deny. `contested` is what the destination both let in and denied.
 */
export function arrivals(evidence: readonly FlowEvidence[]): (fact: FlowEvidence) => Arrival {
  const byPair = new Map<string, FlowEvidence[]>();
  for (const fact of evidence) {
    if (fact.reporter !== 'dst') continue;
    const key = pairKey(fact);
    const facts = byPair.get(key);
    if (facts) facts.push(fact);
    else byPair.set(key, [fact]);
  }
  return (fact) => {
    const answers = byPair.get(pairKey(fact))?.filter((answer) => isSameService(fact, answer)) ?? [];
    const ofPort = answers.filter(({ port }) => port === fact.port);
    // Beyond the cap a port is not told apart: what is known of "many" is the best there is.
    const known = ofPort.length > 0 ? ofPort : answers.filter(({ port }) => port === manyPorts);
    if (known.every(({ action }) => action !== 'deny')) return 'arrived';
    return known.some(({ action }) => action === 'allow') ? 'contested' : 'blocked';
  };
}

function pairKey({ src, dst, protocol }: FlowEvidence): string {
  return [src.kind, src.ns, dst.kind, dst.ns, protocol].join('\n');
}

/** The two ends of a connection need not have known the same labels; none may be any. */
function isSameService(a: FlowEvidence, b: FlowEvidence): boolean {
  const fits = (one: string, other: string) => one === other || one === '' || other === '';
  return fits(a.src.identity, b.src.identity) && fits(a.dst.identity, b.dst.identity);
}
