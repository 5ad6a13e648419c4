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
/** A stored policy trace: what the dataplane did, and what it would have done with the staged policies in force. */
export type Trace = z.infer<typeof trace>;

/** Reads a stored trace; undefined where it tells nothing: too many of a fact, or not readable. */
export function readTrace(value: unknown): Trace | undefined {
  const parsed = trace.safeParse(value);
  if (!parsed.success || parsed.data.other === true || parsed.data.unreadable === true) return undefined;
  return parsed.data;
}

/** What a list of hits comes to, and by whose hit: all others pass it on. Undefined where that cannot be told. */
export function verdictOf(hits: readonly Hit[]): { action: 'allow' | 'deny'; hit: Hit } | undefined {
  const deciding = hits.filter(({ a }) => a === 'allow' || a === 'deny');
  const [only, another] = deciding;
  if (only === undefined || another !== undefined) return undefined;
  return { action: only.a === 'deny' ? 'deny' : 'allow', hit: only };
}

/** `NetworkPolicy immich/default-deny, tier default`. */
export function describePolicyName({ k, t, ns, n }: Named): string {
  const name = [ns, n].filter((part) => part !== undefined).join('/');
  return `${k}${name === '' ? '' : ` ${name}`}${t === undefined ? '' : `, tier ${t}`}`;
}

/** Which policy decided: its kind, name, tier and rule; of an end of tier, what brought the flow there. */
export function describeHit(decided: Hit): string {
  if (decided.k === 'EndOfTier')
    return `end of tier ${decided.t ?? 'without name'}${decided.by ? `, reached because ${describePolicyName(decided.by)} selects it and no rule matched` : ''}`;
  return `${describePolicyName(decided)}${decided.r === undefined || decided.r < 0 ? '' : `, rule ${decided.r}`}`;
}
