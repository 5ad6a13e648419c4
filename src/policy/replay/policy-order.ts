import type { Answer } from './answer.ts';
import { compareText, groupBy } from '../../text/order.ts';
import type { Direction } from '../derive/model.ts';
import type { ReplayEnd } from './cluster.ts';
import type { CompiledPolicy, CompiledTier } from './policy.ts';

/** Whether a policy selects an end; a namespaced one only ends of its namespace. */
export function selectsEnd({ tieBreaker: { namespace }, selects }: CompiledPolicy, end: ReplayEnd): Answer {
  return namespace === '' || namespace === end.ns ? selects(end) : 'no';
}

/**
 * The policies that can select ends of each namespace, in groups of the same order, first group first; '' for all other
 * namespaces.
 * @param policies sorted by order
 */
export function byNamespace(policies: readonly CompiledPolicy[]): CompiledTier['byNamespace'] {
  const names = new Set(['', ...policies.map(({ tieBreaker }) => tieBreaker.namespace)]);
  return new Map(
    [...names].map((name) => {
      const own = policies.filter(({ tieBreaker: { namespace } }) => namespace === '' || namespace === name);
      return [name, [...groupBy(own, ({ order }) => String(order)).values()]];
    }),
  );
}

/** A policy that selects an end, or may select it. */
interface SelectingPolicy {
  readonly policy: CompiledPolicy;
  readonly selects: Exclude<Answer, 'no'>;
}

/**
 * The policies of a tier that may select an end, in groups that Calico evaluates one after the other. A group has
 * several policies only if they have the same order and Calico's versions break the tie differently.
 */
export function* evaluationSteps(
  tier: CompiledTier,
  direction: Direction,
  subject: ReplayEnd,
): Generator<readonly SelectingPolicy[]> {
  for (const group of tier.byNamespace.get(subject.ns) ?? tier.byNamespace.get('') ?? []) {
    const selecting = group.flatMap((policy): SelectingPolicy[] => {
      const selects = policy[direction] === undefined ? 'no' : selectsEnd(policy, subject);
      return selects === 'no' ? [] : [{ policy, selects }];
    });
    const ordered = inOneOrder(selecting);
    if (ordered) for (const each of ordered) yield [each];
    else yield selecting;
  }
}

/**
 * The order in which all versions of Calico evaluate policies of the same order; undefined if there is none. Calico 3.30
 * compares the namespace and then the name with its tier, 3.32 the text `name/namespace/kind`.
 */
function inOneOrder(policies: readonly SelectingPolicy[]): SelectingPolicy[] | undefined {
  const [first] = policies;
  const hasOneGroup = policies.every(
    ({ policy: { tieBreaker } }) =>
      tieBreaker.kind === first?.policy.tieBreaker.kind &&
      tieBreaker.namespace === first.policy.tieBreaker.namespace,
  );
  if (!hasOneGroup) return undefined;
  const sortedBy = (key: (name: string) => string) =>
    policies.toSorted((a, b) => compareText(key(a.policy.tieBreaker.name), key(b.policy.tieBreaker.name)));
  const byName = sortedBy((name) => name.replace(/^default\./, ''));
  const byText = sortedBy((name) => `${name}/`);
  return byName.every((each, at) => each === byText[at]) ? byName : undefined;
}
