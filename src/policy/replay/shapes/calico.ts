import { z } from 'zod';
import { calicoRule } from './calico-rule.ts';
import { selectorText } from './calico-selectors.ts';
import { tierName } from './common.ts';

const common = {
  tier: tierName.default('default'),
  order: z.number().optional(),
  selector: selectorText().default(''),
  serviceAccountSelector: selectorText().optional(),
  types: z
    .array(z.enum(['Ingress', 'Egress']))
    .refine((list) => new Set(list).size === list.length, 'contains an entry twice; remove one of them')
    .optional(),
  performanceHints: z.array(z.literal('AssumeNeededOnEveryNode')).optional(),
};

/** Spec of a namespaced Calico policy. Source: projectcalico.org/v3 and its validation. */
export const namespacedSpec = z.strictObject({
  ...common,
  ingress: z.array(calicoRule('ingress', 'namespaced')).optional(),
  egress: z.array(calicoRule('egress', 'namespaced')).optional(),
});

const globalFields = z.strictObject({
  ...common,
  namespaceSelector: selectorText().optional(),
  doNotTrack: z.literal(true).optional(),
  preDNAT: z.literal(true).optional(),
  applyOnForward: z.literal(true).optional(),
  ingress: z.array(calicoRule('ingress', 'global')).optional(),
  egress: z.array(calicoRule('egress', 'global')).optional(),
});

/** What happens to the enforced policy of the same name when a staged policy is enforced. */
const staged = { stagedAction: z.enum(['Set', 'Delete', 'Learn', 'Ignore']).optional() };

/** Spec of a global Calico policy. */
export const globalSpec = globalFields.superRefine(checkHostFields);
export const stagedNamespacedSpec = namespacedSpec.extend(staged);
export const stagedGlobalSpec = globalFields.extend(staged).superRefine(checkHostFields);
export const stagedAction = staged.stagedAction;

export type CalicoSpec = z.infer<typeof namespacedSpec> & Partial<z.infer<typeof globalFields>>;

function checkHostFields(
  { doNotTrack, preDNAT, applyOnForward, egress = [], types = [] }: z.infer<typeof globalFields>,
  context: z.core.$RefinementCtx,
): void {
  const complain = (field: string, message: string) => {
    context.addIssue({ code: 'custom', path: [field], message });
  };
  if (doNotTrack && preDNAT) complain('preDNAT', 'cannot be combined with doNotTrack; remove one of them');
  if ((doNotTrack || preDNAT) && !applyOnForward)
    complain('applyOnForward', 'must be true with doNotTrack or preDNAT; set it to true');
  if (preDNAT && egress.length > 0) complain('egress', 'is not allowed with preDNAT; remove it');
  if (preDNAT && types.includes('Egress'))
    complain('types', 'contains Egress, which is not allowed with preDNAT; remove it');
}
