import { z } from 'zod';

const named = z.object({
  k: z.string(),
  t: z.string().optional(),
  ns: z.string().optional(),
  n: z.string().optional(),
});
const hit = named.extend({ a: z.string().optional(), r: z.number().optional(), by: named.optional() });
const trace = z.object({
  enforced: z.array(hit).default([]),
  pending: z.array(hit).default([]),
  other: z.boolean().optional(),
  unreadable: z.boolean().optional(),
  cut: z.number().optional(),
});

type Named = z.infer<typeof named>;
type Hit = z.infer<typeof hit>;
/** A stored policy trace: `enforced` is what the dataplane did, `pending` what it would do if staged policies were enforced. */
export type Trace = z.infer<typeof trace>;

/** Reads a stored trace; undefined if it has no hits, because it exceeded the limit per fact or was unreadable. */
export function readTrace(value: unknown): Trace | undefined {
  const parsed = trace.safeParse(value);
  if (!parsed.success || parsed.data.other === true || parsed.data.unreadable === true) return undefined;
  return parsed.data;
}

/** The verdict of a list of hits, and the hit that decides it. */
export interface Verdict {
  readonly action: 'allow' | 'deny';
  readonly hit: Hit;
}

/**
 * The verdict of a list of hits, in which all hits but one are `pass`. Undefined if no hit decides, or more than one.
 */
export function verdictOf(hits: readonly Hit[]): Verdict | undefined {
  const deciding = hits.filter(({ a }) => a === 'allow' || a === 'deny');
  const [only, another] = deciding;
  if (only === undefined || another !== undefined) return undefined;
  return { action: only.a === 'deny' ? 'deny' : 'allow', hit: only };
}

/** Whether the hit belongs to a staged policy, or to the end of a tier that applies only because of a staged policy. */
export function isStaged({ k, by }: Hit): boolean {
  return k.startsWith('Staged') || (k === 'EndOfTier' && by !== undefined && by.k.startsWith('Staged'));
}

/** `NetworkPolicy immich/default-deny, tier default`. */
function describePolicyName({ k, t, ns, n }: Named): string {
  const name = [ns, n].filter((part) => part !== undefined).join('/');
  return `${k}${name === '' ? '' : ` ${name}`}${t === undefined ? '' : `, tier ${t}`}`;
}

/** The policy that decided: kind, name, tier and rule; for the end of a tier, the policy that makes it apply. */
export function describeHit(decided: Hit): string {
  if (decided.k === 'EndOfTier')
    return `end of tier ${decided.t ?? 'without a name'}${decided.by ? `, reached because ${describePolicyName(decided.by)} selects it and no rule matched` : ''}`;
  return `${describePolicyName(decided)}${decided.r === undefined || decided.r < 0 ? '' : `, rule ${decided.r}`}`;
}
