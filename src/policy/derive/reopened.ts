import { describeEnd, describePeer } from './describe-ends.ts';
import { toOrFrom } from './direction.ts';
import type { AllowedPort, AllowRule, EvidenceEnd, LeftOut, Peer } from './model.ts';
import { groupBy } from '../../text/order.ts';
import { portText } from './rules.ts';
import { minute } from './sighting.ts';

/**
 * Warnings about rules that allow what policy denies today: baseline rules, rules for a whole namespace because its pods
 * have no service identity, and rules for all ports.
 * @param leftOut without the traffic that was both allowed and denied
 */
export function reopenedByRules(rules: readonly AllowRule[], leftOut: readonly LeftOut[]): string[] {
  const denied = groupBy(
    leftOut.filter(({ reason }) => reason === 'blocked'),
    ({ peer }) => peer.ns,
  );
  return rules.flatMap((rule) =>
    (('ns' in rule.peer ? denied.get(rule.peer.ns) : undefined) ?? [])
      .filter(
        (entry) =>
          entry.direction === rule.direction &&
          isCovered(entry.peer, rule.peer) &&
          rule.ports.some((port) => isAllowed(entry, port)),
      )
      .map((entry) => warning(rule, entry)),
  );
}

function warning({ direction, peer, isBaseline }: AllowRule, entry: LeftOut): string {
  const when = `(last denied ${minute(entry.sighting.lastSeconds)})`;
  return isBaseline
    ? `the baseline allows ${direction} to ${describePeer(peer)} ${portText(entry)}, which policy denies today ${when}`
    : `${direction} ${toOrFrom(direction)} ${describeEnd(entry.peer)} ${portText(entry)} is denied today ${when}; this policy allows it by its rule for ${describePeer(peer)}`;
}

function isCovered({ kind, ns, identity }: EvidenceEnd, peer: Peer): boolean {
  switch (peer.kind) {
    case 'namespace':
    case 'pods':
      return kind === 'workload' && ns === peer.ns;
    case 'identity':
      return kind === 'workload' && ns === peer.ns && identity === peer.identity;
    case 'networkset':
      return kind === 'networkset' && ns === peer.ns && identity === peer.name;
    case 'address':
      return false;
  }
}

function isAllowed(entry: LeftOut, { protocol, port }: AllowedPort): boolean {
  return protocol === entry.protocol && (port === 'all' || port === 'none' || port === entry.port);
}
