import { describePeer } from './describe-ends.ts';
import { toOrFrom } from './direction.ts';
import type { AllowRule } from './model.ts';

/**
 * Warnings about rules for network sets of another namespace. Felix names the network set with the longest prefix that
 * contains an address (up to 3.31), or one of any namespace if no other contains it (from 3.32), so the owner of a namespace can make the
 * addresses of others appear as its own set, and can add addresses to it later.
 */
export function foreignNetworkSets(namespace: string, rules: readonly AllowRule[]): string[] {
  return rules.flatMap(({ direction, peer }) =>
    peer.kind === 'networkset' && peer.ns !== '' && peer.ns !== namespace
      ? [
          `${direction} ${toOrFrom(direction)} ${describePeer(peer)}: anyone who can edit network sets in ${peer.ns} decides which addresses this rule allows. Prefer a global network set or one of ${namespace}`,
        ]
      : [],
  );
}
