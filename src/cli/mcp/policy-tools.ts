import { z } from 'zod';
import { askAllowlistFiles, askAllowlists, previewAllowlist } from '../allowlist.ts';
import { baselines } from '../input/allowlist-options.ts';
import { readPolicyText } from '../input/policy-files.ts';
import { readPeriod } from '../input/period.ts';
import { askReplay, replayAnswer } from '../replay.ts';
import { askStaged, stagedAnswer } from '../staged.ts';
import { allowlistFormats } from '../../policy/derive/input.ts';
import { unknownNameTexts } from '../output/unknown-names.ts';
import { period } from './question-tools.ts';
import { limit, namespace, pastTime, tool, type Tool } from './tool.ts';

export const policyTools: readonly Tool[] = [
  tool({
    name: 'allowlist_derive_preview',
    description:
      'Derive network policies from observed traffic, as files with the evidence for each rule. Nothing is stored or applied. Same as flow-trail allowlist derive --json.',
    schemas: ['allowlist-derive'],
    shape: {
      namespaces: z.array(namespace).min(1).max(50),
      since: pastTime('start; whole UTC days; default: the beginning').optional(),
      until: pastTime('end; default: now').optional(),
      direction: z.enum(['egress', 'ingress', 'both']).default('egress'),
      format: z.enum(allowlistFormats).default('kubernetes'),
      minimumDays: z
        .int()
        .min(7)
        .max(365)
        .default(7)
        .describe('covered days required for a complete namespace'),
      externals: z.boolean().default(true).describe('list hosts and external addresses individually'),
      identities: z.boolean().default(true).describe('false: select whole namespaces'),
      allPorts: z
        .boolean()
        .default(false)
        .describe('allow all ports if more ports were observed than are stored'),
      baseline: z.array(z.enum(baselines)).default([]).describe('add rules for these services'),
      dnsAddresses: z.array(z.string().max(64)).max(16).default([]).describe('for example 10.96.0.10'),
      tier: z.string().max(63).optional().describe('Calico tier'),
      order: z.number().optional().describe('Calico order within the tier'),
    },
    ask: async ({ namespaces, minimumDays, baseline, dnsAddresses, order, ...options }) => {
      const { summary, artefacts, unknown } = await previewAllowlist(namespaces, {
        ...options,
        minimumDays: String(minimumDays),
        baseline: baseline.join(','),
        dnsAddress: dnsAddresses,
        ...(order === undefined ? {} : { order: String(order) }),
      });
      return { answer: { summary, files: artefacts }, notes: unknownNameTexts(unknown) };
    },
  }),
  tool({
    name: 'allowlist_list',
    description:
      'The allowlists that were derived and stored, newest first. Same as flow-trail allowlist list --json.',
    schemas: ['allowlist-list'],
    shape: { limit: limit(100) },
    ask: async ({ limit: most }) => ({ answer: await askAllowlists(most) }),
  }),
  tool({
    name: 'allowlist_show',
    description: 'The files of a stored allowlist. Same as flow-trail allowlist show --json.',
    schemas: ['allowlist-show'],
    shape: { id: z.string().max(64).describe('an allowlistId of allowlist_list') },
    ask: async ({ id }) => ({ answer: { allowlistId: id, files: await askAllowlistFiles(id) } }),
  }),
  tool({
    name: 'staged',
    description:
      'Where staged policies would decide differently from the enforced ones, and whether the result is evidence that enforcing them is safe. Same as flow-trail staged --json.',
    schemas: ['staged'],
    shape: { src: namespace.optional(), dst: namespace.optional(), ...period },
    ask: async (question) => {
      const found = await askStaged(question);
      return { answer: stagedAnswer(found), notes: unknownNameTexts(found.unknown) };
    },
  }),
  tool({
    name: 'replay',
    description:
      'Which observed flows the given policies would have denied or newly allowed. Same as flow-trail replay --json.',
    schemas: ['replay'],
    shape: {
      policies: z
        .string()
        .max(1_000_000)
        .describe('Kubernetes or Calico policy manifests as YAML documents or JSON'),
      namespace: namespace.optional().describe('for manifests without metadata.namespace'),
      ipv6: z.boolean().optional().describe('the cluster has IPv6 addresses'),
      ...period,
    },
    ask: async ({ policies: text, namespace: name, ipv6, ...times }) => {
      const wanted = readPeriod(times);
      const { policies, notes } = readPolicyText(text, { namespace: name, ipv6 });
      return { answer: replayAnswer(await askReplay(policies, wanted)), notes };
    },
  }),
];
