import { changesByVerdict, newsOf } from '../reports/completeness-news.ts';
import type { Verdict } from '../coverage/verdict.ts';
import { completenessMessage } from '../slack/completeness-message.ts';
import type { SlackMessage } from '../slack/message.ts';
import {
  freezeReport,
  isReportOvertaken,
  markReportTold,
  readLastWholeReport,
  readReport,
  readToldVerdicts,
  type FrozenReport,
} from '../trail/jobs/completeness-reports.ts';
import { rollNamespaceDays } from '../trail/facts/namespace-observations.ts';
import { toActivityFailure } from '../temporal/activity-failure.ts';
import { readCompleteness } from '../queries/completeness.ts';
import type { JobDeps } from './deps.ts';
import { postSlack } from './slack.ts';

const changesInResult = 20;

export interface CompletenessInput {
  /** `completeness/<nominal time>`: repeated runs with one id produce one report. */
  reportId: string;
}

/** The result of a run, shown in the Temporal UI and on the command line. */
export interface CompletenessResult {
  reportId: string;
  /**
   * `quiet`: no changes, and the weekly report is not due. `printed`: a dry run. `posted before`: an earlier run with the same
   * nominal time posted it. `overtaken`: a later report has already been posted.
   */
  outcome: 'posted' | 'printed' | 'quiet' | 'posted before' | 'overtaken';
  madeAt: string;
  namespaces: number;
  verdicts: Record<Verdict, number>;
  /** Days since the trail began. */
  coveredDays: number;
  uncoveredDays: number;
  changed: number;
  /** The first few, for example `payments: learning -> complete`. */
  changes: string[];
}

type Summary = Omit<CompletenessResult, 'outcome'>;
type Frozen = FrozenReport<Summary, SlackMessage>;

/**
 * Assesses each namespace, stores the report, and posts changes. The message is stored before the first attempt to post it, and
 * marked as posted afterwards: it is posted at least once, and a duplicate has the same text.
 * @throws ApplicationFailure, retryable unless Slack rejected the message
 */
export async function reportCompleteness(
  deps: JobDeps,
  { reportId }: CompletenessInput,
): Promise<CompletenessResult> {
  const { database, config } = deps;
  try {
    const { summary, message, postedAt } = await freeze(deps, reportId);
    if (message === undefined) return { ...summary, outcome: 'quiet' };
    if (postedAt !== undefined) return { ...summary, outcome: 'posted before' };
    if (await isReportOvertaken(database.query, reportId)) return { ...summary, outcome: 'overtaken' };
    const outcome = await postSlack(deps, message);
    if (outcome === 'posted') await markReportTold(database, reportId, config.clock.now() / 1000);
    return { ...summary, outcome };
  } catch (error) {
    throw toActivityFailure(error);
  }
}

async function freeze(deps: JobDeps, reportId: string): Promise<Frozen> {
  const { database, config } = deps;
  const known = await readReport<Summary, SlackMessage>(database.query, reportId);
  if (known) return known;
  await rollNamespaceDays(database.query);
  const report = await readCompleteness(deps);
  const posted = {
    verdicts: await readToldVerdicts(database.query),
    wholeAt: await readLastWholeReport(database.query),
  };
  const news = newsOf(report, posted, config.jobs.completeness.reportWeekday);
  const changes = news?.changes ?? [];
  await freezeReport<Summary, SlackMessage>(database, {
    reportId,
    madeAt: report.madeAt,
    summary: {
      reportId,
      madeAt: report.madeAt.toISOString(),
      namespaces: report.namespaces.length,
      verdicts: report.counts,
      coveredDays: report.coveredDays,
      uncoveredDays: report.uncoveredDays,
      changed: changes.length,
      changes: changes
        .slice(0, changesInResult)
        .map(({ row, was }) => `${row.namespace}: ${was ?? 'new'} -> ${row.verdict}`),
    },
    namespaces: report.namespaces,
    message: news && completenessMessage(reportId, report, news, changesByVerdict(changes)),
    isWhole: news !== undefined && news.kind !== 'changes',
  });
  const frozen = await readReport<Summary, SlackMessage>(database.query, reportId);
  if (!frozen) throw new Error(`${reportId} was stored and cannot be read back`);
  return frozen;
}
