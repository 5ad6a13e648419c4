import type { Direction } from '../derive/model.ts';
import { AskedTests, type Assume } from './assumptions.ts';
import type { Answer } from './answer.ts';
import type { ReplayEnd } from './cluster.ts';
import { possibleVersions } from './end-addresses.ts';
import { evaluationSteps } from './policy-order.ts';
import type { CompiledPolicies, CompiledRule, CompiledTier, ReplayFlow, RuleAtom } from './policy.ts';

/**
 * The verdict of a policy set on a flow. `open`: no policy in the set selects it. `unknown`: it depends on data that is
 * not stored.
 */
interface Decision {
  readonly verdict: 'allow' | 'deny' | 'open' | 'unknown';
  /** The policy that decides, or what the verdict depends on. */
  readonly by: string;
}

interface Outcome {
  verdict: 'allow' | 'deny' | 'open';
  by: string;
  /** Policies with the same order that all match: which one is evaluated first depends on the Calico version. */
  tied?: readonly string[];
}

/**
 * Decides as Calico does: in a tier, the first matching rule decides; if a policy selects the end and no rule matches,
 * the end of the tier decides; if no policy selects it, the next tier is evaluated. Every possible combination of data
 * that is not stored is tried, with the same answer for the same test, and every IP version that the flow can have;
 * there is a verdict only if all combinations agree.
 */
export function decide(
  { tiers, cluster }: CompiledPolicies,
  direction: Direction,
  flow: Omit<ReplayFlow, 'version'>,
): Decision {
  const decisions = possibleVersions(flow, cluster).map((version) =>
    decideFor(tiers, direction, { ...flow, version }),
  );
  return (
    agreement(decisions) ??
    decisions.find(({ verdict }) => verdict === 'unknown') ?? {
      verdict: 'unknown',
      by: `the IP version, which is not stored: ${[...new Set(decisions.map(({ by }) => by))].join('; or ')}`,
    }
  );
}

function decideFor(tiers: readonly CompiledTier[], direction: Direction, flow: ReplayFlow): Decision {
  const asked = new AskedTests();
  const first = walk(
    tiers,
    direction,
    withAssumptions(flow, (label, test) => asked.note(label, test)),
  );
  if (first.verdict !== 'unknown') return first;
  const worlds = asked.worlds();
  return (
    (worlds &&
      agreement(decisionsIn(worlds, (world) => walk(tiers, direction, withAssumptions(flow, world))))) ??
    first
  );
}

function* decisionsIn(worlds: Iterable<Assume>, decideIn: (world: Assume) => Decision): Generator<Decision> {
  for (const world of worlds) yield decideIn(world);
}

/** The decision of all cases; undefined if they differ, without reading the remaining ones. */
function agreement(decisions: Iterable<Decision>): Decision | undefined {
  let first: Decision | undefined;
  let allowing: Decision | undefined;
  for (const decision of decisions) {
    first ??= decision;
    if (decision.verdict === 'unknown' || (decision.verdict === 'deny') !== (first.verdict === 'deny'))
      return undefined;
    // If one case allows by a policy and another leaves the end unselected, name the policy.
    if (decision.verdict === 'allow') allowing ??= decision;
  }
  return allowing ?? first;
}

function withAssumptions(flow: ReplayFlow, assume: Assume): ReplayFlow {
  return {
    ...flow,
    src: { ...flow.src, assume: (label, test) => assume(`source ${label}`, test) },
    dst: { ...flow.dst, assume: (label, test) => assume(`destination ${label}`, test) },
  };
}

function walk(tiers: readonly CompiledTier[], direction: Direction, flow: ReplayFlow): Decision {
  const subject = direction === 'egress' ? flow.src : flow.dst;
  const outcomes: Outcome[] = [];
  for (const tier of tiers) if (!walkTier(tier, direction, subject, flow, outcomes)) return combine(outcomes);
  outcomes.push({ verdict: 'open', by: 'no policy in the set selects it' });
  return combine(outcomes);
}

/** @returns whether any case continues with the next tier */
function walkTier(
  tier: CompiledTier,
  direction: Direction,
  subject: ReplayEnd,
  flow: ReplayFlow,
  outcomes: Outcome[],
): boolean {
  let goesOn = false;
  let isUnselected = true;
  let selectedBy: string | undefined;
  for (const step of evaluationSteps(tier, direction, subject)) {
    let hasEnded = false;
    const walked = step.map(({ policy, selects }) => {
      const found = walkRules(policy[direction] ?? [], policy.name, flow);
      if (selects === 'yes') {
        isUnselected = false;
        if (found.ended) hasEnded = true;
      }
      if (!found.ended) selectedBy ??= policy.name;
      return found;
    });
    if (walked.some(({ passed }) => passed)) goesOn = true;
    // If Calico's versions evaluate the policies of a step in different orders, all of them count.
    const reached = walked.flatMap((found) => found.outcomes);
    const names = walked.filter((found) => found.outcomes.length > 0 || found.passed).map(({ name }) => name);
    outcomes.push(...(names.length > 1 ? reached.map((outcome) => ({ ...outcome, tied: names })) : reached));
    if (hasEnded) return goesOn;
  }
  if (selectedBy !== undefined) {
    if (tier.endsWith === 'pass') goesOn = true;
    else
      outcomes.push({
        verdict: 'deny',
        by: `end of tier ${tier.name}: ${selectedBy} selects it and no rule matches`,
      });
  }
  return goesOn || isUnselected;
}

interface Walked {
  readonly name: string;
  /** A rule certainly matched, so later rules are not evaluated. */
  readonly ended: boolean;
  /** A rule may have passed the flow to the next tier. */
  readonly passed: boolean;
  readonly outcomes: readonly Outcome[];
}

function walkRules(rules: readonly CompiledRule[], name: string, flow: ReplayFlow): Walked {
  let passed = false;
  const outcomes: Outcome[] = [];
  for (const { index, action, atoms } of rules) {
    const matches = anyMatches(atoms, flow);
    if (matches === 'no') continue;
    if (action === 'pass') passed = true;
    else outcomes.push({ verdict: action, by: `${name}, rule ${index}` });
    if (matches === 'yes') return { name, ended: true, passed, outcomes };
  }
  return { name, ended: false, passed, outcomes };
}

function anyMatches(atoms: readonly RuleAtom[], flow: ReplayFlow): Answer {
  let answer: Answer = 'no';
  for (const atom of atoms) {
    const found = atom.matches(flow);
    if (found === 'yes') return 'yes';
    if (found === 'unknown') answer = 'unknown';
  }
  return answer;
}

function combine(outcomes: readonly Outcome[]): Decision {
  const [first] = outcomes;
  if (first === undefined) return { verdict: 'unknown', by: 'no tier reaches a verdict' };
  const denied = outcomes.find(({ verdict }) => verdict === 'deny');
  const allowed = outcomes.find(({ verdict }) => verdict !== 'deny');
  if (denied && allowed) {
    const tied = denied.tied ?? allowed.tied;
    return {
      verdict: 'unknown',
      by:
        tied === undefined
          ? `data that is not stored, such as labels or addresses: ${allowed.by}; otherwise ${denied.by}`
          : `${tied.join(' and ')} have the same order, and the Calico version determines which is evaluated first: ${allowed.by}; otherwise ${denied.by}`,
    };
  }
  if (denied) return denied;
  return outcomes.find(({ verdict }) => verdict === 'allow') ?? first;
}
