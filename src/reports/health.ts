import { counted } from '../text/counted.ts';
import { spanText } from '../time/zoned-time.ts';
import type { Severity } from '../coverage/severity.ts';
import type { CoverageStretch } from '../trail/coverage.ts';
import type { ExportGap } from '../trail/export-gaps.ts';
import type { ExportState } from '../trail/export-state.ts';

export type HealthStatus = 'PASS' | 'WARN' | 'FAIL';

export const healthCheckNames = [
  'database',
  'temporal',
  'supervisor',
  'schedules',
  'freshness',
  'coverage',
  'digest',
  'certificates',
  'export',
] as const;

/** The result of one check. */
export interface HealthCheck {
  name: (typeof healthCheckNames)[number];
  status: HealthStatus;
  /** The finding and its cause; no full stop at the end. */
  detail: string;
  /** What to do; empty if no action is needed. */
  cure: string;
}

export interface HealthReport {
  /** The worst of all checks. */
  status: HealthStatus;
  /** All problems on one line, or that all checks pass. */
  detail: string;
  checks: HealthCheck[];
}

/** Why a system does not respond. */
interface Unreachable {
  what: string;
  cure: string;
}

interface ScheduleState {
  job: string;
  scheduleId: string;
  exists: boolean;
  isPaused: boolean;
  note: string;
  lastDueAt: Date | undefined;
  nextDueAt: Date | undefined;
}

/** Facts from Temporal; `ControlFacts` has this shape. */
export interface HealthControl {
  supervisor: { state: string | undefined; taskProblem: string | undefined };
  pollers: number;
  schedules: readonly ScheduleState[];
}

/** Facts from the database. */
export interface HealthTrail {
  /** The watchdog's verdict, as one sentence with its cause. */
  freshness: { severity: Severity; what: string; cause: string };
  /** Worker processes that ended unexpectedly in the last 30 minutes. */
  crashes: number;
  newestBucket: Date | undefined;
  settledBucket: Date | undefined;
  /** When the tables were created. */
  since: Date;
  /** Of the last 24 hours. */
  coverage: readonly CoverageStretch[];
  /** When the newest finished digest was frozen, and the oldest unfinished digest after it. */
  digests: { doneAt: Date | undefined; waitingSince: Date | undefined };
  /** Last result of the job certificates; `state` lists its findings, joined by `+`. */
  certificates: { state: string; detail: string; checkedAt: Date } | undefined;
  /** The export of flow logs, and its gaps in the last 24 hours. */
  export: ExportState & { gaps: readonly ExportGap[] };
}

export interface HealthFacts {
  nowMs: number;
  trail: HealthTrail | Unreachable;
  control: HealthControl | Unreachable;
  formatTime: (time: Date) => string;
}

const hourMs = 3_600_000;
/** A digest run retries Slack for 80 minutes. */
const digestLateMs = 2 * hourMs;
const certificatesLateMs = 26 * hourMs;
/** A bucket is settled after six minutes, and exported within a minute. */
const exportLateMs = hourMs / 2;
/** Settling ends 55 minutes after a bucket; older streamed time is never settled. */
const decidedSeconds = 65 * 60;
const harmlessCertificates = new Set([
  'expiring',
  'ca_expiring',
  'goldmane_expiring',
  'rotated',
  'goldmane_unreachable',
]);
const ranks: Record<HealthStatus, number> = { PASS: 0, WARN: 1, FAIL: 2 };
const statusOf: Record<Severity, HealthStatus> = { good: 'PASS', warning: 'WARN', critical: 'FAIL' };

/** Evaluates whether the trail is recorded and reported. The command `health` and `/readyz?verbose` show the same
 * report. A check whose facts are unknown is skipped: the check of the system that does not respond gives the reason.
 * Pure.
 */
export function assessHealth({ nowMs, trail, control, formatTime }: HealthFacts): HealthReport {
  const checks = [
    ...('what' in trail ? [unreachable('database', trail)] : [check('database', 'PASS', 'available')]),
    ...('what' in control
      ? [unreachable('temporal', control)]
      : [check('temporal', 'PASS', 'answers'), assessSupervisor(control), assessSchedules(control)]),
    ...('what' in trail
      ? []
      : [
          assessFreshness(trail, formatTime),
          assessCoverage(trail.coverage, nowMs),
          assessDigest(trail.digests, 'what' in control ? undefined : control, nowMs, formatTime),
          assessCertificates(trail.certificates, 'what' in control ? undefined : control, nowMs, formatTime),
          assessExport(trail.export, nowMs, formatTime),
        ]),
  ];
  const worst = checks.toSorted((a, b) => ranks[b.status] - ranks[a.status]);
  const wrong = worst.filter(({ status }) => status !== 'PASS');
  return {
    status: worst[0]?.status ?? 'PASS',
    detail:
      wrong.length === 0
        ? `all ${checks.length} checks pass`
        : wrong.map(({ name, detail }) => `${name}: ${detail}`).join('; '),
    checks,
  };
}

/** One line per check, with what to do below it. */
export function healthLines({ checks }: Pick<HealthReport, 'checks'>): string[] {
  return checks.flatMap(({ name, status, detail, cure }) => [
    `${status}  ${name.padEnd(12)}  ${detail}`,
    ...(cure === '' ? [] : [`      ${''.padEnd(12)}  ${cure}`]),
  ]);
}

function check(name: HealthCheck['name'], status: HealthStatus, detail: string, cure = ''): HealthCheck {
  return { name, status, detail, cure: status === 'PASS' ? '' : cure };
}

function unreachable(name: 'database' | 'temporal', { what, cure }: Unreachable): HealthCheck {
  return check(name, 'FAIL', what, cure);
}

function assessSupervisor({ supervisor: { state, taskProblem }, pollers }: HealthControl): HealthCheck {
  if (pollers === 0)
    return check(
      'supervisor',
      'FAIL',
      'no worker is polling the task queue',
      'Start the worker, or check its log and /readyz; check that it uses this task queue',
    );
  if (state !== 'RUNNING')
    return check(
      'supervisor',
      'FAIL',
      state === undefined ? 'does not exist' : `is ${state}`,
      'A running worker starts it within a minute; check the log of the worker and /readyz',
    );
  if (taskProblem !== undefined)
    return check(
      'supervisor',
      'FAIL',
      `stuck: its workflow task fails with ${taskProblem}`,
      'A worker replaces it after two minutes if the failure is permanent; check the log of the worker',
    );
  return check('supervisor', 'PASS', `runs; ${counted(pollers, 'worker')} polled in the last 100 s`);
}

function assessSchedules({ schedules }: HealthControl): HealthCheck {
  const missing = schedules.filter(({ exists }) => !exists).map(({ scheduleId }) => scheduleId);
  const paused = schedules.filter(({ isPaused }) => isPaused);
  if (missing.length > 0)
    return check(
      'schedules',
      'FAIL',
      `missing: ${missing.join(', ')}`,
      'A running worker creates them within a minute; check the log of the worker',
    );
  if (paused.length > 0)
    return check(
      'schedules',
      'WARN',
      `paused: ${paused.map(({ scheduleId, note }) => (note === '' ? scheduleId : `${scheduleId} (${note})`)).join(', ')}`,
      paused
        .map(({ scheduleId }) => `temporal schedule toggle --unpause --schedule-id ${scheduleId}`)
        .join('; '),
    );
  return check('schedules', 'PASS', `all ${schedules.length} exist and none is paused`);
}

function assessFreshness(
  { freshness, newestBucket }: HealthTrail,
  formatTime: (time: Date) => string,
): HealthCheck {
  const newest = newestBucket ? `newest bucket ${formatTime(newestBucket)}` : 'no bucket yet';
  if (freshness.severity === 'good') return check('freshness', 'PASS', newest);
  return check(
    'freshness',
    statusOf[freshness.severity],
    `${withoutStop(freshness.what)} (${newest})`,
    freshness.cause,
  );
}

function assessCoverage(coverage: readonly CoverageStretch[], nowMs: number): HealthCheck {
  const missed = coverage.filter(
    ({ state, toSeconds }) =>
      state === 'gap' ||
      state === 'incomplete' ||
      (state === 'streamed' && toSeconds < nowMs / 1000 - decidedSeconds),
  );
  const secondsOf = (stretches: readonly CoverageStretch[]) =>
    stretches.reduce((sum, { fromSeconds, toSeconds }) => sum + toSeconds - fromSeconds, 0);
  if (coverage.length === 0)
    return check(
      'coverage',
      'WARN',
      'nothing was recorded in the last day',
      'flow-trail status shows the state of the readers',
    );
  const missedSeconds = secondsOf(missed);
  if (missedSeconds === 0) return check('coverage', 'PASS', 'no gap in the last day');
  const [longest] = missed.toSorted((a, b) => b.toSeconds - b.fromSeconds - (a.toSeconds - a.fromSeconds));
  const cause =
    longest?.cause ?? (longest?.state === 'incomplete' ? 'records were rejected' : 'only streamed');
  return check(
    'coverage',
    missedSeconds * 2 > secondsOf(coverage) ? 'FAIL' : 'WARN',
    `${spanText(missedSeconds)} of the last day not fully observed; longest cause: ${cause}`,
    'flow-trail coverage --since 24h --gaps shows each gap and its cause; records that Goldmane no longer has cannot be recovered',
  );
}

function assessDigest(
  { doneAt, waitingSince }: HealthTrail['digests'],
  control: HealthControl | undefined,
  nowMs: number,
  formatTime: (time: Date) => string,
): HealthCheck {
  const schedule = control?.schedules.find(({ job }) => job === 'digest');
  const next = schedule?.nextDueAt && !schedule.isPaused ? `next due ${formatTime(schedule.nextDueAt)}` : '';
  const last = doneAt ? `last ${formatTime(doneAt)}` : 'none yet';
  const text = [last, next].filter((part) => part !== '').join(', ');
  const dueAt = schedule?.lastDueAt;
  const cure =
    'flow-trail runs --job digest shows why; without SLACK_WEBHOOK_URL, or with DRY_RUN, the worker only prints digests';
  if (waitingSince && waitingSince.getTime() < nowMs - digestLateMs)
    return check('digest', 'FAIL', `not posted since ${formatTime(waitingSince)} (${text})`, cure);
  const isLate =
    dueAt &&
    dueAt.getTime() < nowMs - digestLateMs &&
    (doneAt === undefined || doneAt.getTime() < dueAt.getTime() - digestLateMs);
  if (isLate)
    return check('digest', 'FAIL', `the digest due at ${formatTime(dueAt)} is not finished (${text})`, cure);
  return check('digest', 'PASS', text);
}

function assessCertificates(
  certificates: HealthTrail['certificates'],
  control: HealthControl | undefined,
  nowMs: number,
  formatTime: (time: Date) => string,
): HealthCheck {
  const cure = 'Run flow-trail run certificates';
  if (!certificates) {
    const schedule = control?.schedules.find(({ job }) => job === 'certificates');
    const firstDueAt = schedule?.lastDueAt || schedule?.isPaused ? undefined : schedule?.nextDueAt;
    return firstDueAt
      ? check('certificates', 'PASS', `not checked yet, first due ${formatTime(firstDueAt)}`)
      : check('certificates', 'WARN', 'not checked yet', cure);
  }
  const { state, detail, checkedAt } = certificates;
  const checked = `checked ${formatTime(checkedAt)}`;
  if (state !== 'good') {
    const isHarmless = state.split('+').every((each) => harmlessCertificates.has(each));
    return check(
      'certificates',
      isHarmless ? 'WARN' : 'FAIL',
      `${state.replaceAll('_', ' ')}, ${checked}`,
      detail,
    );
  }
  if (checkedAt.getTime() < nowMs - certificatesLateMs)
    return check('certificates', 'WARN', `good, but last ${checked}`, cure);
  return check('certificates', 'PASS', `good, ${checked}`);
}

/** Flow logs are only a copy, so a receiver that is down is never a FAIL. */
function assessExport(
  { isEnabled, activeAt, sentAt, trouble, upToSeconds, gaps }: HealthTrail['export'],
  nowMs: number,
  formatTime: (time: Date) => string,
): HealthCheck {
  if (!isEnabled) return check('export', 'PASS', 'flow logs are not exported');
  const lastError = trouble && (!sentAt || trouble.at > sentAt) ? trouble.text : '';
  const upTo =
    upToSeconds === undefined ? 'nothing yet' : `up to ${formatTime(new Date(upToSeconds * 1000))}`;
  if (!activeAt || activeAt.getTime() < nowMs - exportLateMs)
    return check(
      'export',
      'WARN',
      `no worker has exported flow logs since ${activeAt ? formatTime(activeAt) : 'the export was enabled'}`,
      'Check the log of the worker that has OTLP_LOGS_ENDPOINT, and the workflow flow-trail/export in the Temporal UI',
    );
  if (upToSeconds !== undefined && upToSeconds * 1000 < nowMs - exportLateMs)
    return check(
      'export',
      'WARN',
      `behind: flow logs have been exported ${upTo}`,
      lastError === '' ? 'flow-trail status shows how many buckets are waiting' : lastError,
    );
  const ownGaps = gaps.filter(({ reason }) => reason !== 'not_settled');
  const [longest] = ownGaps.toSorted((a, b) => b.toSeconds - b.fromSeconds - (a.toSeconds - a.fromSeconds));
  if (longest)
    return check(
      'export',
      'WARN',
      `${spanText(ownGaps.reduce((sum, gap) => sum + gap.toSeconds - gap.fromSeconds, 0))} of the last day not fully exported; longest cause: ${withoutStop(longest.cause)}`,
      'flow-trail status shows each gap in the export; the trail itself is not affected',
    );
  return check('export', 'PASS', `flow logs have been exported ${upTo}`);
}

function withoutStop(text: string): string {
  return text.replace(/\.$/, '');
}
