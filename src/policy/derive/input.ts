import { z } from 'zod';
import { addressProblem, parseNarrowCidr } from '../../text/cidr.ts';

/** Output formats: the runbook's queries (text, json, csv), or policies of one kind. */
export const allowlistFormats = [
  'text',
  'json',
  'csv',
  'kubernetes',
  'calico',
  'calico-staged',
  'kubernetes-staged',
] as const;
export type AllowlistFormat = (typeof allowlistFormats)[number];

const namespace = z
  .string()
  .regex(/^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/, 'is not a namespace name; for example immich');
const time = z
  .string()
  .refine(
    (text) => /^\d{4}-\d{2}-\d{2}/.test(text) && !Number.isNaN(Date.parse(text)),
    'is not a time; for example 2026-01-31 or 2026-01-31T08:00Z',
  );
const cidr = z.string().transform((text, context) => {
  const parsed = parseNarrowCidr(text);
  if (parsed !== undefined) return parsed;
  context.addIssue({ code: 'custom', message: addressProblem });
  return z.NEVER;
});

const schema = z
  .strictObject({
    namespaces: z.union([
      z.literal('all'),
      z.array(namespace).min(1, 'is empty; list namespaces, or use "all"'),
    ]),
    since: time.optional(),
    until: time.optional(),
    direction: z.enum(['egress', 'ingress', 'both'], 'is not egress, ingress or both'),
    format: z.enum(allowlistFormats, `is not one of ${allowlistFormats.join(', ')}`),
    minimumCoveredDays: z
      .int('is not a whole number of days')
      .min(7, 'is below 7, too short to include a weekly job; use 7 or more')
      .max(365, 'is more than 365; use 7 to 365'),
    includeExternals: z.boolean('is not true or false'),
    includeIdentities: z.boolean('is not true or false'),
    allowManyPorts: z.boolean('is not true or false'),
    baseline: z.strictObject({
      dns: z.boolean('is not true or false').default(false),
      dnsAddresses: z.array(cidr).default([]),
      databases: z.boolean('is not true or false').default(false),
      redis: z.boolean('is not true or false').default(false),
    }),
    tier: z
      .string()
      .regex(/^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/, 'is not a tier name; for example default'),
    order: z.number('is not a number').optional(),
  })
  .superRefine(({ since, until, tier, order, format }, context) => {
    if (since !== undefined && until !== undefined && Date.parse(since) >= Date.parse(until))
      context.addIssue({ code: 'custom', path: ['until'], message: 'is not after since' });
    if ((tier !== 'default' || order !== undefined) && !format.startsWith('calico'))
      context.addIssue({
        code: 'custom',
        path: [order === undefined ? 'tier' : 'order'],
        message: `has no effect in format ${format}; only calico and calico-staged have tiers and orders`,
      });
    if (isQueryFormat(format) && (since !== undefined || until !== undefined))
      context.addIssue({
        code: 'custom',
        path: [since === undefined ? 'until' : 'since'],
        message: `has no effect in format ${format}, which reads the whole table edge`,
      });
  });

/** The input of `deriveAllowlist` with all defaults filled in. */
export type AllowlistInput = z.infer<typeof schema>;

const defaults = {
  namespaces: 'all',
  direction: 'egress',
  format: 'kubernetes',
  minimumCoveredDays: 7,
  includeExternals: true,
  includeIdentities: true,
  allowManyPorts: false,
  baseline: {},
  tier: 'default',
};

export function isQueryFormat(format: AllowlistFormat): format is 'text' | 'json' | 'csv' {
  return format === 'text' || format === 'json' || format === 'csv';
}

/** Parses the input of `deriveAllowlist`; every field is optional, unknown fields are rejected. Returns all problems
 * at once, each with its field and a valid example.
 */
export function parseAllowlistInput(
  value: unknown,
): { readonly input: AllowlistInput } | { readonly problems: readonly string[] } {
  const given = value ?? {};
  if (typeof given !== 'object' || Array.isArray(given))
    return { problems: ['the input is not a JSON object; for example {"namespaces": ["immich"]}'] };
  const result = schema.safeParse({ ...defaults, ...given });
  if (result.success) return { input: result.data };
  return { problems: result.error.issues.flatMap(describeIssue) };
}

function describeIssue(issue: z.core.$ZodIssue): string[] {
  const path = issue.path.join('.');
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map(
      (key) =>
        `${path === '' ? '' : `${path}.`}${key} is unknown; valid fields are ${path === 'baseline' ? 'dns, dnsAddresses, databases, redis' : Object.keys(schema.shape).join(', ')}`,
    );
  if (path === 'namespaces')
    return ['namespaces must be "all" or a list of names; for example ["immich", "dbaas"]'];
  if (issue.code === 'invalid_type' && issue.message.startsWith('Invalid'))
    return [`${path} is not ${issue.expected === 'array' ? 'a list' : `a ${issue.expected}`}`];
  return [`${path} ${issue.message}`];
}
