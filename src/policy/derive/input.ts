import { z } from 'zod';
import { addressProblem, parseNarrowCidr } from '../../text/cidr.ts';
import { isNamespaceName } from '../../text/kubernetes-names.ts';

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

/** Tiers are named like namespaces. */
const nameOf = (what: 'namespace' | 'tier') =>
  z
    .string()
    .refine(
      isNamespaceName,
      `is not a ${what} name; use lower-case letters, digits and "-", at most 63 characters`,
    );
const time = z
  .string()
  .refine(
    (text) => /^\d{4}-\d{2}-\d{2}/.test(text) && !Number.isNaN(Date.parse(text)),
    'is not a time; use, for example, 2026-01-31 or 2026-01-31T08:00Z',
  );
const cidr = z.string().transform((text, context) => {
  const parsed = parseNarrowCidr(text);
  if (parsed !== undefined) return parsed;
  context.addIssue({ code: 'custom', message: addressProblem });
  return z.NEVER;
});

/** Of a problem with several fields: the value of a single one is not shown. */
const combined = { isCombined: true };

const schema = z
  .strictObject({
    namespaces: z.union([
      z.literal('all'),
      z.array(nameOf('namespace')).min(1, 'is empty; list namespaces, or use "all"'),
    ]),
    since: time.optional(),
    until: time.optional(),
    direction: z.enum(['egress', 'ingress', 'both'], 'is not a direction; use egress, ingress or both'),
    format: z.enum(allowlistFormats, `is not a format; use one of ${allowlistFormats.join(', ')}`),
    minimumCoveredDays: z
      .int('is not a whole number of days; use 7 to 365')
      .min(7, 'is below 7, too short to include a weekly job; use 7 or more')
      .max(365, 'is more than 365; use 7 to 365'),
    includeExternals: z.boolean('must be true or false'),
    includeIdentities: z.boolean('must be true or false'),
    allowManyPorts: z.boolean('must be true or false'),
    baseline: z.strictObject({
      dns: z.boolean('must be true or false').default(false),
      dnsAddresses: z.array(cidr).default([]),
      databases: z.boolean('must be true or false').default(false),
      redis: z.boolean('must be true or false').default(false),
    }),
    tier: nameOf('tier'),
    order: z.number('is not a number; use, for example, 500').optional(),
  })
  .superRefine(({ since, until, tier, order, format }, context) => {
    if (since !== undefined && until !== undefined && Date.parse(since) >= Date.parse(until))
      context.addIssue({
        code: 'custom',
        path: ['until'],
        message: 'is not after since; use a later time',
        params: combined,
      });
    if ((tier !== 'default' || order !== undefined) && !format.startsWith('calico'))
      context.addIssue({
        code: 'custom',
        path: [order === undefined ? 'tier' : 'order'],
        message: `has no effect in format ${format}; remove it, or use calico or calico-staged`,
        params: combined,
      });
    if (isQueryFormat(format) && (since !== undefined || until !== undefined))
      context.addIssue({
        code: 'custom',
        path: [since === undefined ? 'until' : 'since'],
        message: `has no effect in format ${format}, which reads the whole table edge; remove it`,
        params: combined,
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
    return { problems: ['the input is not a JSON object; use, for example, {"namespaces": ["immich"]}'] };
  const result = schema.safeParse({ ...defaults, ...given });
  if (result.success) return { input: result.data };
  return { problems: result.error.issues.flatMap((issue) => describeIssue(issue, given)) };
}

function describeIssue(issue: z.core.$ZodIssue, given: object): string[] {
  const path = issue.path.join('.');
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map(
      (key) =>
        `${path === '' ? '' : `${path}.`}${key} is unknown; use ${path === 'baseline' ? 'dns, dnsAddresses, databases, redis' : Object.keys(schema.shape).join(', ')}`,
    );
  if (path === 'namespaces')
    return ['namespaces must be "all" or a list of names, for example ["immich", "dbaas"]'];
  const field =
    issue.code === 'custom' && issue.params === combined ? path : `${path}${valueText(issue.path, given)}`;
  if (issue.code === 'invalid_type' && issue.message.startsWith('Invalid'))
    return [`${field} must be ${issue.expected === 'array' ? 'a list' : `a ${issue.expected}`}`];
  return [`${field} ${issue.message}`];
}

const longestValue = 100;

/** A value as JSON, after a space; empty for lists, objects and missing values. */
function valueText(path: readonly PropertyKey[], given: object): string {
  const value = path.reduce<unknown>(
    (parent, key) => (typeof parent === 'object' && parent !== null ? Reflect.get(parent, key) : undefined),
    given,
  );
  if (typeof value !== 'string' && typeof value !== 'boolean' && !Number.isFinite(value)) return '';
  const text = JSON.stringify(value);
  return text.length > longestValue ? '' : ` ${text}`;
}
