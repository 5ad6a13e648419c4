import { counted } from '../../text/counted.ts';
import { describePeer } from './describe-ends.ts';
import { toOrFrom } from './direction.ts';
import type { AllowRule } from './model.ts';
import { groupBy } from '../../text/order.ts';
import { portText } from './rules.ts';

const named = 5;

/**
 * Warnings about rules that are based on a single day, at most one for each direction: a pod that can reach a namespace while it is
 * observed gets a rule by connecting once.
 */
export function seenOnOneDay(rules: readonly AllowRule[]): string[] {
  return [...groupBy(rules, ({ direction }) => direction).values()].flatMap((group) => {
    const [{ direction }] = group;
    const once = group.flatMap(({ peer, ports }) =>
      ports
        .filter(({ sighting }) => sighting?.days.length === 1)
        .map((port) => `${describePeer(peer)} ${portText(port)}`),
    );
    if (once.length === 0) return [];
    const more = once.length > named ? ` and ${once.length - named} more` : '';
    return [
      `${counted(once.length, 'combination')} of peer and port ${once.length === 1 ? 'was' : 'were'} seen on one day only: ${direction} ${toOrFrom(direction)} ${once.slice(0, named).join(', ')}${more}. Check that this traffic is needed before you allow it`,
    ];
  });
}
