import type { FlowEvidence } from '../../trail/facts/evidence.ts';
import type { Arrival } from './arrivals.ts';
import type { DeriveOptions, Direction, LeftOut, LeftOutReason } from './model.ts';
import { manyPorts } from '../../trail/many-ports.ts';
import { isLabelValue, isNamespaceName } from '../../text/kubernetes-names.ts';
import { groupBy, sortedBy } from '../../text/order.ts';
import { peerOf } from './direction.ts';
import { hasPorts } from './rules.ts';
import { mergeSightings } from './sighting.ts';

/** A fact in one direction, and whether it becomes a rule. */
export interface Judged {
  readonly fact: FlowEvidence;
  readonly arrival: Arrival;
  /** Undefined if it becomes a rule. */
  readonly reason: LeftOutReason | undefined;
}

const deniedToday: ReadonlySet<LeftOutReason | undefined> = new Set<LeftOutReason>([
  'blocked',
  'undecided',
  'staged-verdict',
]);

/** Whether the traffic is allowed today, according to its facts. */
export function isAllowedToday({ reason }: { reason: LeftOutReason | undefined }): boolean {
  return !deniedToday.has(reason);
}

/** Why the fact does not become a rule; undefined if it does. */
export function reasonToLeaveOut(
  direction: Direction,
  fact: FlowEvidence,
  arrival: Arrival,
  isMisreported: boolean,
  { allowManyPorts }: DeriveOptions,
): LeftOutReason | undefined {
  if (fact.action === 'deny' && isMisreported) return 'staged-verdict';
  if (fact.action === 'deny' || arrival === 'blocked') return 'blocked';
  if (fact.action !== 'allow') return 'undecided';
  const peer = peerOf(direction, fact);
  switch (peer.kind) {
    case 'network':
      return 'external';
    case 'host':
      return 'host';
    case 'unspecified':
      return 'unnamed';
    case 'workload':
      if (!isNamespaceName(peer.ns) || !isLabelValue(peer.identity)) return 'unnamed';
      break;
    case 'networkset':
      if (
        peer.identity === '' ||
        !isLabelValue(peer.identity) ||
        (peer.ns !== '' && !isNamespaceName(peer.ns))
      )
        return 'unnamed';
      break;
  }
  if (fact.port === manyPorts) return allowManyPorts ? undefined : 'many-ports';
  return fact.port === 0 && hasPorts(fact.protocol) ? 'unnamed' : undefined;
}

/** Equal for flows with the same other end, protocol and port. */
export function thingKey(
  { kind, ns, identity }: LeftOut['peer'],
  how: { protocol: string; port: number },
): string {
  return [kind, ns, identity, how.protocol, how.port].join('\n');
}

/** Observed flows that do not become rules: one entry per reason, other end, protocol and port. */
export function leftOutOf(direction: Direction, list: readonly Judged[]): LeftOut[] {
  const grouped = groupBy(
    list.filter(({ reason }) => reason !== undefined),
    ({ fact, reason }) => {
      const { kind, ns, identity } = peerOf(direction, fact);
      return [reason, kind, ns, identity, fact.protocol, fact.port].join('\n');
    },
  );
  const entries = [...grouped.values()].flatMap(([first, ...others]): LeftOut[] => {
    const { fact, reason } = first;
    if (reason === undefined) return [];
    return [
      {
        direction,
        reason,
        peer: peerOf(direction, fact),
        protocol: fact.protocol,
        port: fact.port,
        sighting: mergeSightings(fact, ...others.map((other) => other.fact)),
      },
    ];
  });
  return sortedBy(entries, ({ reason, peer, protocol, port }) => [
    reason,
    peer.ns,
    peer.kind,
    peer.identity,
    protocol,
    port,
  ]);
}
