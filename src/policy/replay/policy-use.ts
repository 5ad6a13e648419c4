import type { Direction } from '../derive/model.ts';
import type { ReplayEnd } from './cluster.ts';
import type { CompiledPolicies, CompiledPolicy } from './policy.ts';
import { selectsEnd } from './policy-order.ts';

/** Records which policies of a set select, or may select, an end of the replayed facts. */
export class PolicyUse {
  readonly #tiers: CompiledPolicies['tiers'];
  readonly #used = new Set<CompiledPolicy>();
  /** The answer for each direction and end, so that each is evaluated once. */
  readonly #known = new Map<string, boolean>();

  constructor({ tiers }: CompiledPolicies) {
    this.#tiers = tiers;
  }

  /** Whether a policy that applies to the direction selects, or may select, the end. */
  isSelected(direction: Direction, end: ReplayEnd): boolean {
    const key = [direction, end.ns, end.identity, end.hasUnknownIdentity].join('\n');
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const selecting = this.#tiers.flatMap(({ byNamespace }) =>
      (byNamespace.get(end.ns) ?? byNamespace.get('') ?? [])
        .flat()
        .filter((policy) => policy[direction] !== undefined && selectsEnd(policy, end) !== 'no'),
    );
    for (const policy of selecting) this.#used.add(policy);
    this.#known.set(key, selecting.length > 0);
    return selecting.length > 0;
  }

  /** Names of the policies that selected none of the ends. */
  unused(): string[] {
    return this.#tiers
      .flatMap(({ policies }) => policies)
      .filter((policy) => !this.#used.has(policy))
      .map(({ name }) => name);
  }
}
