import { z } from 'zod';
import { isSummarised } from '../../policy/summarise-ports.ts';
import { otherDenialTexts, readEdgesQuestion } from '../ask-edges.ts';
import { askAt } from '../at.ts';
import { askCompleteness } from '../completeness.ts';
import { askCoverage } from '../coverage.ts';
import { cutText } from '../output/cut.ts';
import { askDiff } from '../diff.ts';
import { askDigestEdges, askDigestPreview } from '../digest.ts';
import { askExplain } from '../explain.ts';
import { askExternals } from '../externals.ts';
import { flowActions, toJsonFact } from '../facts.ts';
import { askMatrix } from '../matrix.ts';
import { unknownNameTexts } from '../output/unknown-names.ts';
import { withDatabase } from '../connect/with-database.ts';
import { limit, namespace, pastTime, tool, type Tool } from './tool.ts';

const end = z
  .string()
  .min(1)
  .max(320)
  .describe(
    'namespace, namespace/service-identity, or an endpoint as printed by edges (pub, pvt, host, or "namespace pub" for a namespace called pub)',
  );
const silentDays = z.int().min(1).max(3_650).default(7);
export const period = {
  since: pastTime('start; whole UTC days').default('30d'),
  until: pastTime('end; default: now').optional(),
};

export const questionTools: readonly Tool[] = [
  tool({
    name: 'edges',
    description:
      'Who talks to whom: one row per source namespace, destination namespace and action, newest first. All filters must match. With newSince: what is new. With since and silentSince: what stopped between these times. With since and denied: what was denied recently. With port true: which ports one namespace uses to another. With peersOf: the peers of a namespace. With identity, port, reporter or external: one row per flow fact. Same as flow-trail edges --json.',
    schemas: ['edges', 'peers', 'facts'],
    shape: {
      ns: namespace.optional().describe('source or destination'),
      src: namespace.optional().describe('source'),
      dst: namespace.optional().describe('destination'),
      peersOf: namespace
        .optional()
        .describe('list the namespaces that this namespace talks to or is called by'),
      since: pastTime('seen since').optional(),
      newSince: pastTime('first seen since: what is new').optional(),
      silentSince: pastTime('not seen since: what stopped').optional(),
      action: z.enum(flowActions).optional().describe('the policy decision'),
      denied: z.boolean().optional().describe('the same as action "deny"'),
      identity: z
        .union([z.literal(true), z.string().max(253)])
        .optional()
        .describe('true: one row per flow fact; a name: only this service identity'),
      port: z
        .union([z.literal(true), z.string().max(16)])
        .optional()
        .describe('true: one row per flow fact; "5432", "udp/53" or "many": only this port'),
      reporter: z
        .union([z.literal(true), z.enum(['src', 'dst'])])
        .optional()
        .describe(
          'true: one row per flow fact; src or dst: only flows reported by the source or destination',
        ),
      external: z
        .boolean()
        .optional()
        .describe('one row per flow fact whose source or destination is a host, network or network set'),
      limit: limit(5_000),
    },
    ask: async ({ limit: most, ...question }) => {
      const { found, unknown, otherDenials, unobserved } = await withDatabase(
        readEdgesQuestion({ ...question, limit: String(most) }),
      );
      return {
        answer:
          found.name === 'facts' ? found.rows.slice(0, most).map(toJsonFact) : found.rows.slice(0, most),
        notes: [
          ...unknownNameTexts(unknown),
          ...otherDenialTexts(otherDenials),
          ...unobserved,
          ...(found.rows.length > most ? [cutText(most)] : []),
        ],
      };
    },
  }),
  tool({
    name: 'matrix',
    description:
      'All edges as an adjacency list: per source namespace, the destinations that are allowed, denied and others. Same as flow-trail matrix --json.',
    schemas: ['matrix'],
    shape: { ns: namespace.optional().describe('only edges of this namespace, as source or destination') },
    ask: async ({ ns }) => {
      const { rows, unknown } = await askMatrix(ns);
      return { answer: rows, notes: unknownNameTexts(unknown) };
    },
  }),
  tool({
    name: 'explain',
    description:
      'All stored facts about one pair of endpoints: by port, identity, reporter and policy, with times and counts. Same as flow-trail explain --json.',
    schemas: ['explain'],
    shape: { source: end, destination: end, ...period },
    ask: async ({ source, destination, ...times }) => {
      const { explained, notes } = await askExplain(source, destination, times);
      return { answer: explained, notes };
    },
  }),
  tool({
    name: 'at',
    description:
      'Reconstruct an incident: the peers of a namespace in a given time range, by the hour; what was unusual, and what was not observed. Same as flow-trail at --json.',
    schemas: ['at'],
    shape: {
      ns: namespace,
      from: pastTime('start'),
      to: pastTime('end; a time of day is its first occurrence after the start; default: now').optional(),
      silentDays: silentDays.describe(
        'mark a peer as unusual if it was silent for more than this many days before the period',
      ),
      allPorts: z
        .boolean()
        .optional()
        .describe('list each port; by default, more than eight ports of a peer are one row'),
    },
    ask: async ({ silentDays: days, ...question }) => {
      const { incident, unknown } = await askAt({ ...question, silentDays: String(days) });
      return {
        answer: incident,
        notes: [
          ...(incident.rows.some(isSummarised)
            ? ['many ports of one peer are one row; allPorts lists them']
            : []),
          ...unknownNameTexts(unknown),
        ],
      };
    },
  }),
  tool({
    name: 'diff',
    description:
      'What changed between two times: edges that appeared, fell silent, or changed between allowed and denied; new ports of known pairs; new connections with endpoints outside the cluster; and what was not observed. Same as flow-trail diff --json.',
    schemas: ['diff'],
    shape: {
      ns: namespace.optional().describe('only changes of this namespace'),
      from: pastTime('start'),
      to: pastTime('end; default: now').optional(),
      silentDays: silentDays.describe('days without a flow after which an edge is silent'),
    },
    ask: async ({ silentDays: days, ...question }) => {
      const { diff, unknown } = await askDiff({ ...question, silentDays: String(days) });
      return { answer: diff, notes: unknownNameTexts(unknown) };
    },
  }),
  tool({
    name: 'externals',
    description:
      'Flows between namespaces and hosts, networks or network sets outside the cluster, newest first. Single addresses are not stored: an endpoint is pub, pvt, host or the name of a network set. Same as flow-trail externals --json.',
    schemas: ['facts'],
    shape: {
      ns: namespace.optional(),
      since: pastTime('seen since').optional(),
      newSince: pastTime('first seen since: what is new').optional(),
      limit: limit(5_000),
    },
    ask: async ({ limit: most, ...question }) => {
      const { found, unknown, unobserved } = await askExternals({ ...question, limit: String(most) });
      return {
        answer: found.slice(0, most).map(toJsonFact),
        notes: [...unknownNameTexts(unknown), ...unobserved, ...(found.length > most ? [cutText(most)] : [])],
      };
    },
  }),
  tool({
    name: 'coverage',
    description:
      'Fully observed time ranges and gaps: whether, since when and why flows were not recorded. States: final, settled, streamed, gap, incomplete, pending. Same as flow-trail coverage --json.',
    schemas: ['coverage'],
    shape: {
      since: pastTime('start').default('7d'),
      until: pastTime('end; a time of day is its first occurrence after the start; default: now').optional(),
      gaps: z.boolean().optional().describe('only gaps and incomplete time'),
    },
    ask: async (question) => ({ answer: (await askCoverage(question)).ranges }),
  }),
  tool({
    name: 'completeness',
    description:
      'Per namespace, whether it was observed long enough for an allowlist (default-deny) to be complete. Same as flow-trail completeness --json.',
    schemas: ['completeness'],
    shape: { namespace: namespace.optional() },
    ask: async ({ namespace: name }) => {
      const { report, unknown } = await askCompleteness(name);
      return { answer: report, notes: unknownNameTexts(unknown) };
    },
  }),
  tool({
    name: 'digest_show',
    description:
      'Every edge that a digest announced, denied ones first. Same as flow-trail digest show --json.',
    schemas: ['edges'],
    shape: {
      id: z
        .string()
        .max(200)
        .optional()
        .describe(
          'as shown in Slack, or a time (yesterday, thursday): the first digest since then; default: the newest posted digest',
        ),
    },
    ask: async ({ id }) => {
      const { edges, notes } = await askDigestEdges(id);
      return { answer: edges, notes };
    },
  }),
  tool({
    name: 'digest_preview',
    description:
      'What the next digest would announce: new edges, denied ones first, and gaps. Posts and records nothing. Same as flow-trail digest --dry-run --json.',
    schemas: ['digest-preview'],
    shape: {},
    ask: async () => ({ answer: await askDigestPreview() }),
  }),
];
