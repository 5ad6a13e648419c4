import { z } from 'zod';
import type { PolicyTrace } from '../goldmane/decoder/decode.ts';
import type { AttributeList } from './attribute-list.ts';

const policy = z.object({
  k: z.string(),
  t: z.string().optional(),
  ns: z.string().optional(),
  n: z.string().optional(),
  a: z.string().optional(),
  r: z.number().optional(),
});
const hit = policy.extend({ by: policy.optional() });
/** The format that the decoder writes. */
const traceText = z.object({
  enforced: z.array(hit),
  pending: z.array(hit),
  cut: z.number().optional(),
  unreadable: z.boolean().optional(),
});

interface PolicyTexts {
  enforced: string[];
  pending: string[];
  isCut: boolean;
}

/** A few traces recur in every bucket, as the same objects. */
const known = new WeakMap<PolicyTrace, PolicyTexts>();

/**
 * The policies that decided, as strings of `key=value` pairs: `kind=NetworkPolicy tier=default namespace=shop name=allow-web action=allow
 * rule=0`; for the end of a tier, also the policy that made the tier apply, `by_kind=...`. Values have no spaces.
 */
export function policyAttributes(list: AttributeList, trace: PolicyTrace, traces: number): void {
  let found = known.get(trace);
  if (!found) known.set(trace, (found = readTrace(trace.text)));
  const { enforced, pending, isCut } = found;
  list.texts('calico.policies.enforced', enforced);
  list.texts('calico.policies.pending', pending);
  if (traces > 1) list.number('calico.policies.traces', traces);
  if (isCut) list.noteCut('calico.policies');
}

function readTrace(text: string): PolicyTexts {
  const { enforced, pending, cut, unreadable } = traceText.parse(JSON.parse(text));
  return {
    enforced: enforced.map((hit) => hitText(hit)),
    pending: pending.map((hit) => hitText(hit)),
    isCut: cut !== undefined || unreadable === true,
  };
}

function hitText({ k, t, ns, n, a, r, by }: z.infer<typeof hit>, prefix = ''): string {
  const parts = [
    ['kind', k],
    ['tier', t],
    ['namespace', ns],
    ['name', n],
    ['action', a],
    ['rule', r],
  ].flatMap(([name, value]) =>
    value === undefined ? [] : [`${prefix}${name}=${String(value).replaceAll(/\s/g, '_')}`],
  );
  return [...parts, ...(by ? [hitText(by, 'by_')] : [])].join(' ');
}
