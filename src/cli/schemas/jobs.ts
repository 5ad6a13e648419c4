import { z } from 'zod';
import type { JobName } from '../../config/temporal-names.ts';
import { certificateReport } from './operation.ts';
import { count, number, text } from './parts.ts';
import { timeText } from './times.ts';

const alert = z.enum(['posted', 'printed', 'unchanged']).meta({
  description:
    'posted to Slack, printed to the log (a dry run), or not posted because the state is unchanged',
});
const gap = z.looseObject({ from: timeText('start'), to: timeText('end'), cause: text('the cause') });

/** Results of jobs as the workflow returned them. A later version may add fields. */
export const jobResultSchemas = {
  digest: z.looseObject({
    digestId: text('digest/ and the nominal time'),
    outcome: z
      .enum(['posted', 'printed', 'quiet', 'posted before'])
      .meta({ description: 'quiet: nothing new; printed: a dry run of the worker' }),
    says: text('the headline'),
    edges: count('new edges'),
    denied: count('how many of them are denied'),
    foundLate: count('how many of them were first seen before an earlier digest'),
    messages: count('Slack messages'),
    from: text("start of the period, in the worker's time zone"),
    to: text('its end'),
    gaps: z.array(gap).meta({ description: 'the first gaps that no earlier digest reported' }),
    gapSeconds: number('all of them, in seconds'),
  }),
  certificates: certificateReport.extend({ alert }).loose(),
  completeness: z.looseObject({
    reportId: text('completeness/ and the nominal time'),
    outcome: z
      .enum(['posted', 'printed', 'quiet', 'posted before', 'overtaken'])
      .meta({ description: 'quiet: nothing changed; overtaken: a later report was posted in the meantime' }),
    madeAt: timeText('when the report was created'),
    namespaces: count('namespaces'),
    verdicts: z.record(z.string(), count('namespaces with this verdict')),
    coveredDays: number('since the trail began, in days'),
    uncoveredDays: number('since the trail began, in days'),
    changed: count('changed verdicts'),
    changes: z.array(text('for example payments: learning -> complete')),
  }),
  freshness: z.looseObject({
    state: text('good, or the finding'),
    severity: z.enum(['good', 'warning', 'critical']),
    what: text('the finding'),
    cause: text('cause and cure; empty when the state is good'),
    remembered: text('what is lost and since when; empty when the state is good'),
    minutes: number('since the last progress'),
    lastProgressAt: timeText('when a bucket was last merged or settled').optional(),
    newestBucket: timeText('start of the newest bucket').optional(),
    settledBucket: timeText('start of the newest settled bucket').optional(),
    newGaps: z.array(gap).optional().meta({ description: 'gaps that were not reported before' }),
    alert,
  }),
  housekeeping: z.looseObject({
    ledgerBuckets: count('deleted buckets of the ledger'),
    coverageStretches: count('joined settled ranges'),
    completenessReports: count('deleted reports'),
    digestMessages: count('deleted messages'),
    foldedPorts: count('facts of single ports that became "many"'),
    factDays: count('days of facts that were rolled up by month'),
    exportMarks: count('deleted marks of exported buckets'),
    verified: z.enum(['not due', 'all tables agree']),
  }),
} satisfies Record<JobName, z.ZodType>;
