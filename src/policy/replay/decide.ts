import type { EvidenceEnd } from '../derive/model.ts';
import type { Direction } from '../derive/model.ts';
import { either } from './answer.ts';
import type { CompiledRule, CompiledTier, ReplayFlow } from './policy.ts';

/** What a policy set would do with a flow; `open`: no policy of the set selects it; `unknown`: it depends. */
export interface Decision {
  readonly verdict: 'allow' | 'deny' | 'open' | 'unknown';
  /** Which policy decides, or on what it depends. */
  readonly by: string;
}

interface Outcome {
  verdict: 'allow' | 'deny' | 'open';
  by: string;
}

/**
 * Walks the tiers as Calico does: in a tier the first rule that matches decides; where a policy selects the end and no rule
 * matches, the tier's end decides; where none selects it, the next tier is asked. Where it cannot be told whether something
 * matches, both ways are followed.
 */
export function decide(tiers: readonly CompiledTier[], direction: Direction, flow: ReplayFlow): Decision {
  const subject = direction === 'egress' ? flow.src : flow.dst;
  const outcomes: Outcome[] = [];
  for (const tier of tiers) if (!walkTier(tier, direction, subject, flow, outcomes)) return combine(outcomes);
  outcomes.push({ verdict: 'open', by: 'no policy of the set selects it' });
  return combine(outcomes);
}

/** @returns whether some way leads on to the next tier */
function walkTier(
  tier: CompiledTier,
  direction: Direction,
  subject: EvidenceEnd,
  flow: ReplayFlow,
  outcomes: Outcome[],
): boolean {
  let goesOn = false;
  let isUnselected = true;
  let selectedBy: string | undefined;
  for (const policy of tier.policies) {
    const rules = policy[direction];
    const selects = rules === undefined ? 'no' : policy.selects(subject);
    if (rules === undefined || selects === 'no') continue;
    const { ended, passed } = walkRules(rules, policy.name, flow, outcomes);
    if (passed) goesOn = true;
    if (selects === 'yes') {
      isUnselected = false;
      if (ended) return goesOn;
    }
    if (!ended) selectedBy ??= policy.name;
  }
  if (selectedBy !== undefined) {
    if (tier.endsWith === 'pass') goesOn = true;
    else
      outcomes.push({
        verdict: 'deny',
        by: `end of tier ${tier.name}: ${selectedBy} selects it and allows nothing like it`,
      });
  }
  return goesOn || isUnselected;
}

/** Whether a rule surely matched, so that none after it is asked, and whether one may have passed on. */
function walkRules(
  rules: readonly CompiledRule[],
  policy: string,
  flow: ReplayFlow,
  outcomes: Outcome[],
): { ended: boolean; passed: boolean } {
  let passed = false;
  for (const [at, { action, atoms }] of rules.entries()) {
    const matches = either(...atoms.map((atom) => atom.matches(flow)));
    if (matches === 'no') continue;
    if (action === 'pass') passed = true;
    else outcomes.push({ verdict: action, by: `${policy}, rule ${at}` });
    if (matches === 'yes') return { ended: true, passed };
  }
  return { ended: false, passed };
}

function combine(outcomes: readonly Outcome[]): Decision {
  const [first] = outcomes;
  if (first === undefined) return { verdict: 'unknown', by: 'no way through the tiers comes to an end' };
  const denied = outcomes.find(({ verdict }) => verdict === 'deny');
  const allowed = outcomes.find(({ verdict }) => verdict !== 'deny');
  if (denied && allowed)
    return {
      verdict: 'unknown',
      by: `labels or addresses that the trail does not keep: ${allowed.by}; or else ${denied.by}`,
    };
  if (denied) return denied;
  return outcomes.find(({ verdict }) => verdict === 'allow') ?? first;
}
