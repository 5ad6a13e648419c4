import { hourMs } from '../../time/units.ts';
import type { ControlFacts } from '../../temporal/control-facts.ts';
import type { HealthTrail } from './facts.ts';
import { check, type HealthCheck } from './report.ts';
/** A digest run retries Slack for 80 minutes. */
const digestLateMs = 2 * hourMs;
const certificatesLateMs = 26 * hourMs;
const harmlessCertificates = new Set([
  'expiring',
  'ca_expiring',
  'goldmane_expiring',
  'rotated',
  'goldmane_unreachable',
]);

export function digestCheck(
  { doneAt, waitingSince }: HealthTrail['digests'],
  control: ControlFacts | undefined,
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

export function certificatesCheck(
  certificates: HealthTrail['certificates'],
  control: ControlFacts | undefined,
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
