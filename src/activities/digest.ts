import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { DigestReport } from '../reports/digest.ts';
import { headlineOf, introductionOf, questionFor } from '../reports/digest-wording.ts';
import { coverageLines } from '../reports/digest-gaps.ts';
import { digestMessages } from '../slack/digest-blocks.ts';
import type { SlackMessage } from '../slack/message.ts';
import { beginDigests, recordAnnounced } from '../trail/jobs/announcements.ts';
import {
  freezeDigest,
  isOvertaken,
  markPosted,
  readDigest,
  type FrozenDigest,
} from '../trail/jobs/digests.ts';
import { withLease, type HoldLease } from '../trail/workers/lease.ts';
import { toActivityFailure } from '../temporal/activity-failure.ts';
import type { JobDeps } from './deps.ts';
import { knownBefore, readDigestReport } from '../queries/digest.ts';
import { postSlack } from './slack.ts';
import type { GapReport } from '../ingest/summary.ts';

/** Slack accepts about one message per second from a webhook. */
const betweenMessagesMs = 1_100;
const gapsInMessage = 5;
const gapsInResult = 10;

export interface DigestInput {
  /** `digest/<nominal time>`: repeated runs with one id produce one digest. */
  digestId: string;
}

/** The result of a run, shown in the Temporal UI and on the command line. */
export interface DigestResult {
  digestId: string;
  /**
   * `quiet`: no new edges. `printed`: a dry run, no edge is marked as announced. `posted before`: an earlier run with the same
   * nominal time posted it.
   */
  outcome: 'posted' | 'printed' | 'quiet' | 'posted before';
  says: string;
  edges: number;
  denied: number;
  foundLate: number;
  messages: number;
  from: string;
  to: string;
  /** The first few gaps that no earlier digest reported. */
  gaps: GapReport[];
  gapSeconds: number;
}

/** The result of `prepareDigest`; `frozen`: stored and ready to post. */
export type PreparedDigest = Omit<DigestResult, 'outcome'> & {
  outcome: 'frozen' | 'quiet' | 'posted before';
};

type Summary = Omit<DigestResult, 'outcome' | 'messages'>;
type Frozen = FrozenDigest<SlackMessage, Summary>;

/**
 * Stores the messages to post, unless this digest already has stored messages.
 * @throws ApplicationFailure, retryable
 */
export async function prepareDigest(deps: JobDeps, { digestId }: DigestInput): Promise<PreparedDigest> {
  try {
    const known = await readDigest<SlackMessage, Summary>(deps.database.query, digestId);
    // A second run after a quiet run announces edges that have appeared since.
    if (known && known.outcome !== 'quiet')
      return resultOf(known, known.outcome === undefined ? 'frozen' : 'posted before');
    const frozen = await freeze(deps, digestId);
    return resultOf(frozen, frozen.messages.length === 0 ? 'quiet' : 'frozen');
  } catch (error) {
    throw toActivityFailure(error);
  }
}

/**
 * Posts the stored messages one by one. Each is recorded with the edges it announces and is not posted again. Only one digest
 * posts at a time; edges that another digest has announced in the meantime are omitted. A dry run prints and records nothing.
 * @throws ApplicationFailure `slack_<kind>`, retryable or not by kind; `digest_busy`, retryable
 */
export async function postDigest(deps: JobDeps, { digestId }: DigestInput): Promise<DigestResult> {
  try {
    const result = await withLease(deps.database, 'digest', (hold) => post(deps, digestId, hold));
    if (result) return result;
  } catch (error) {
    throw toActivityFailure(error);
  }
  throw ApplicationFailure.create({
    type: 'digest_busy',
    message: 'Another digest is being posted; this one is retried later, so that no edge is announced twice',
  });
}

async function post(deps: JobDeps, digestId: string, hold: HoldLease): Promise<DigestResult> {
  const { database, config } = deps;
  let frozen = await readDigest<SlackMessage, Summary>(database.query, digestId);
  if (!frozen || (await isOvertaken(database.query, digestId))) frozen = await freeze(deps, digestId);
  const waiting = frozen.messages.filter(({ postedAt }) => postedAt === undefined);
  if (waiting.length === 0) return resultOf(frozen, frozen.messages.length === 0 ? 'quiet' : 'posted before');
  let isFirst = true;
  let result: 'posted' | 'printed' = 'posted';
  for (const { part, message, edges } of waiting) {
    if (!isFirst) await Context.current().sleep(betweenMessagesMs);
    isFirst = false;
    Context.current().heartbeat({ posting: part, of: frozen.messages.length });
    await hold();
    result = await postSlack(deps, message);
    if (result === 'printed') continue;
    const nowSeconds = config.clock.now() / 1000;
    await database.transaction(async (query) => {
      await recordAnnounced(query, digestId, edges, nowSeconds);
      await markPosted(query, digestId, part, nowSeconds);
    });
  }
  return resultOf(frozen, result);
}

function freeze(deps: JobDeps, digestId: string): Promise<Frozen> {
  const { database, config } = deps;
  return database.transaction(async (query) => {
    const nowMs = config.clock.now();
    await beginDigests(query, knownBefore(nowMs), nowMs / 1000);
    const { report, gapsReportedUntil } = await readDigestReport(query, config, digestId);
    const messages = digestMessages(report, {
      headline: headlineOf(report),
      introduction: report.introduction && introductionOf(report.introduction),
      coverage: coverageLines(report.coverage, { quote: (cause) => cause, atMost: gapsInMessage }),
      question: questionFor(report),
      mapUrl: config.jobs.mapUrl,
    });
    const summary = summaryOf(report);
    await freezeDigest(query, { digestId, summary, gapsReportedUntil, messages }, nowMs / 1000);
    const frozen = await readDigest<SlackMessage, Summary>(query, digestId);
    if (!frozen) throw new Error(`${digestId} was stored and cannot be read back`);
    return frozen;
  });
}

function summaryOf(report: DigestReport): Summary {
  const { digestId, edges, denied, late, from, to, coverage } = report;
  return {
    digestId,
    says: `${headlineOf(report)}, from ${from} to ${to}`,
    edges,
    denied,
    foundLate: late,
    from,
    to,
    gaps: coverage.gaps
      .slice(0, gapsInResult)
      .map((gap) => ({ from: gap.from, to: gap.to, cause: gap.cause })),
    gapSeconds: coverage.gapSeconds,
  };
}

function resultOf<Outcome extends string>({ summary, messages }: Frozen, outcome: Outcome) {
  return { ...summary, outcome, messages: messages.length };
}
