import { z } from 'zod';
import { count, flowAction, flowCount, number, text } from './parts.ts';
import { time, timeText } from './times.ts';

const readerState = z.enum(['connecting', 'connected', 'failing']);
/** Stored in workflow history, so another version may have written it. */
const fromWorkflow: z.ZodType<object, object> = z.looseObject({});
const gap = z.strictObject({ from: timeText('start'), to: timeText('end'), cause: text('the cause') });

const reader = z.strictObject({
  state: readerState,
  asOf: timeText('when the reader last reported'),
  connectedSince: timeText('start of the connection').optional(),
  lastError: text('why it fails; absent while it works').optional(),
  lastWindow: fromWorkflow
    .optional()
    .meta({ description: 'totals of the last completed window, as in the Temporal UI' }),
});

const seconds = (description: string) => number(`${description}, in seconds`).optional();

export const status = z.strictObject({
  problems: z.array(text('what is wrong and what to do; empty while the trail is being recorded')),
  supervisor: z
    .strictObject({
      state: text("Temporal's status, for example RUNNING or TERMINATED"),
      startedAt: time('start of this run'),
      closedAt: time('end; absent while it runs').optional(),
      problem: z
        .strictObject({
          cause: text("Temporal's name for the failure of its workflow task"),
          message: text('first line of the failure'),
          attempt: count('attempts of the task'),
          isPermanent: z.boolean().meta({ description: 'true if retries fail too' }),
        })
        .optional(),
      unanswered: text('why no worker responds to the query').optional(),
    })
    .nullable()
    .meta({ description: 'null if it does not exist' }),
  readers: z.array(
    z.strictObject({
      activity: text('streamFlows or settleBuckets'),
      attempt: count('1 unless the previous one failed'),
      isPaused: z.boolean().meta({ description: 'paused by a person in Temporal' }),
      lastFailure: text('why the previous attempt failed').optional(),
      progress: fromWorkflow.optional().meta({ description: 'time of its newest heartbeat' }),
    }),
  ),
  lagSeconds: seconds('since the end of the newest streamed bucket'),
  dataAgeSeconds: seconds('since the newest data of either reader'),
  reportAgeSeconds: seconds('since a reader reported'),
  supervisedSince: timeText('start of the totals below').optional(),
  stream: reader.optional(),
  settle: reader.optional(),
  newestBucket: timeText('start of the newest streamed bucket').optional(),
  settledUpTo: timeText('end of settled time').optional(),
  edges: count('rows of the table edge').optional(),
  records: count('records streamed in completed windows').optional(),
  newEdges: count('edges found in completed windows').optional(),
  windows: count('completed windows').optional(),
  lateRecords: count('records that only settling found').optional(),
  gaps: z.array(gap).optional().meta({ description: 'the newest gaps, at most 20' }),
  paused: z
    .strictObject({ since: timeText('start'), reason: text('as given in the signal').optional() })
    .optional(),
  lastError: text('why a reader fails; absent while both work').optional(),
  export: z
    .strictObject({
      isEnabled: z.boolean().meta({ description: 'a worker has a receiver of flow logs' }),
      receiver: text('host and port of the receiver').optional(),
      activeAt: time('when the export last worked').optional(),
      sentAt: time('when the receiver last accepted records').optional(),
      upTo: time('all settled buckets before this time were exported, or given up as gaps').optional(),
      waiting: count('settled buckets waiting to be exported'),
      lastError: text('why records could not be sent; absent once they have been sent').optional(),
      gaps: z
        .array(
          z.strictObject({
            from: time('start'),
            to: time('end'),
            reason: z.enum(['not_exported', 'not_settled', 'missing', 'rejected']),
            cause: text('the cause'),
            records: count('number of records that the receiver did not get; 0 if unknown'),
          }),
        )
        .meta({ description: 'the newest gaps of the export, at most 20; not gaps of the trail' }),
    })
    .optional()
    .meta({ description: 'the export of flow logs; absent if the database cannot be read' }),
  limitedIdentities: z
    .strictObject({
      total: count('number of these namespaces'),
      namespaces: z
        .array(
          z.strictObject({
            namespace: text('the namespace'),
            firstAt: time('when an identity of it was first not stored'),
            lastAt: time('when an identity of it was last not stored'),
          }),
        )
        .meta({ description: 'the latest 20 of them' }),
    })
    .optional()
    .meta({
      description:
        'namespaces with more service identities or network sets than are stored, in the last week; absent if the database cannot be read',
    }),
});

const healthStatus = z.enum(['PASS', 'WARN', 'FAIL']);

export const health = z.strictObject({
  goldmane_aggregator: z.strictObject({
    status: healthStatus.meta({ description: 'the worst of all checks' }),
    detail: text('all problems on one line, worst first'),
    checks: z.array(
      z.strictObject({
        name: z
          .enum([
            'database',
            'temporal',
            'supervisor',
            'freshness',
            'coverage',
            'digest',
            'schedules',
            'certificates',
            'export',
          ])
          .meta({ description: 'what was checked' }),
        status: healthStatus,
        detail: text('the finding and its cause'),
        cure: text('what to do; empty if no action is needed'),
      }),
    ),
  }),
});

export const retire = z.strictObject({
  isDryRun: z.boolean().meta({ description: 'true without --apply: nothing was changed' }),
  removed: z.array(
    z.strictObject({
      kind: z.enum(['workflow', 'schedule']).meta({ description: 'what it is in Temporal' }),
      id: text('in Temporal'),
      trailId: text('id of its database; absent if an older version created it').optional(),
    }),
  ),
});

export const runs = z.array(
  z.strictObject({
    job: text('name of the job'),
    workflowId: text('in Temporal'),
    runId: text('in Temporal'),
    status: text('running, completed, failed, timed_out, canceled or terminated'),
    startedAt: time('start'),
    closedAt: time('end; absent while it runs').optional(),
    failure: text('why it did not succeed; absent if it succeeded').optional(),
  }),
);

const severity = z.enum(['good', 'warning', 'critical']);
const certificateState = z.enum([
  'good',
  'unreadable',
  'key_mismatch',
  'not_yet_valid',
  'expired',
  'critical',
  'expiring',
  'ca_expired',
  'ca_critical',
  'ca_expiring',
  'goldmane_expired',
  'goldmane_critical',
  'goldmane_expiring',
  'wrong_server_name',
  'stale_copy',
  'rotated',
  'wrong_ca',
  'refused',
  'unsigned',
  'goldmane_unreachable',
]);
const perCertificate = <Value extends z.ZodType>(value: Value) =>
  z.strictObject({ client: value.optional(), ca: value.optional(), goldmane: value.optional() });

export const certificateReport = z.strictObject({
  state: certificateState.meta({ description: 'of the worst finding' }),
  severity: severity.meta({ description: 'of the worst finding' }),
  findings: z.array(
    z.strictObject({
      state: certificateState,
      severity,
      what: text('what is wrong; empty if nothing is'),
      cure: text('what to do'),
    }),
  ),
  host: text("Goldmane's host"),
  handshake: text("accepted, not tried, or the failure's kind"),
  notAfter: perCertificate(timeText('expiry')),
  daysLeft: perCertificate(number('days until expiry')),
  goldmaneIssuer: text("issuer of Goldmane's certificate").optional(),
  operatorSecret: text('same, differs, or why it is unknown'),
});

export const verify = z.array(
  z.strictObject({
    rule: text('the violated rule'),
    rows: count('rows that violate it'),
    examples: z.array(text('one of them')),
  }),
);

const countedElsewhere = (description: string) =>
  z
    .array(
      z.strictObject({
        srcNs: text('source namespace'),
        dstNs: text('destination namespace'),
        action: flowAction,
        flowCount,
      }),
    )
    .meta({ description });

export const adopt = z.strictObject({
  isDryRun: z.boolean().meta({ description: 'true without --apply: nothing was changed' }),
  until: time('buckets before this no longer add to the counts; absent if nothing is adopted').optional(),
  formerUntil: time('the previous value; absent if nothing was ever adopted').optional(),
  edges: countedElsewhere('counts of another program and of records that were only streamed, largest first'),
  streamedOnly: flowCount.meta({
    description:
      'maximum number of these records that were only streamed; they cannot be distinguished by edge',
  }),
  lowered: countedElsewhere(
    'edges with a lower count than the trail recorded, with the difference; not modified',
  ),
});
