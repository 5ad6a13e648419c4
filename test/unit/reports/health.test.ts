import { describe, expect, test } from 'vitest';
import { jobNames, type JobName } from '../../../src/config/temporal-names.ts';
import type { HealthTrail } from '../../../src/reports/health/facts.ts';
import type { ControlFacts } from '../../../src/temporal/control-facts.ts';
import { healthLines, assessHealth } from '../../../src/reports/health/assess-health.ts';

const now = new Date('2026-11-23T09:00:00Z');
const hoursAgo = (hours: number) => new Date(now.getTime() - hours * 3_600_000);
const seconds = (time: Date) => time.getTime() / 1000;

const schedule = (job: JobName, change: Partial<ControlFacts['schedules'][number]> = {}) => ({
  job,
  scheduleId: `flow-trail/${job}`,
  exists: true,
  isPaused: false,
  note: '',
  lastDueAt: hoursAgo(1),
  nextDueAt: hoursAgo(-23),
  ...change,
});
const goodControl: ControlFacts = {
  supervisor: {
    state: 'RUNNING',
    trailId: 'own',
    taskProblem: undefined,
    readerProblem: undefined,
    paused: undefined,
  },
  pollers: 1,
  schedules: jobNames.map((job) => schedule(job)),
};
const goodTrail: HealthTrail = {
  trailId: 'own',
  freshness: { severity: 'good', what: '', cause: '' },
  crashes: 0,
  newestBucket: hoursAgo(0.01),
  settledBucket: undefined,
  since: new Date(0),
  clockAheadMs: 200,
  coverage: [{ fromSeconds: seconds(hoursAgo(24)), toSeconds: seconds(now), state: 'final' }],
  digests: { doneAt: hoursAgo(1), waitingSince: undefined },
  certificates: { state: 'good', detail: '', checkedAt: hoursAgo(0.5) },
  export: {
    isEnabled: true,
    receiver: 'otel-collector:4318',
    activeAt: hoursAgo(0.01),
    sentAt: hoursAgo(0.02),
    trouble: undefined,
    upToSeconds: seconds(hoursAgo(0.12)),
    waiting: 0,
    gaps: [],
  },
};

const exportGap = (reason: 'missing' | 'not_settled') => ({
  fromSeconds: seconds(hoursAgo(2)),
  toSeconds: seconds(hoursAgo(1)),
  reason,
  cause: 'Goldmane was restarted',
  records: 5,
});

function judge(
  trail: Partial<HealthTrail> | { what: string; cure: string } = {},
  control: Partial<ControlFacts> | { what: string; cure: string } = {},
) {
  return assessHealth({
    nowMs: now.getTime(),
    trail: 'cure' in trail ? trail : { ...goodTrail, ...trail },
    control: 'cure' in control ? control : { ...goodControl, ...control },
    formatTime: (time) => time.toISOString(),
  });
}

/** The checks that do not pass. */
function wrong(...facts: Parameters<typeof judge>): string[][] {
  return judge(...facts)
    .checks.filter(({ status }) => status !== 'PASS')
    .map(({ name, status }) => [name, status]);
}

const away = { what: 'it does not answer', cure: 'Start it' };
const stretch = (hours: number, state: 'gap' | 'incomplete' | 'streamed') => [
  {
    fromSeconds: seconds(hoursAgo(24)),
    toSeconds: seconds(hoursAgo(24 - hours)),
    state,
    cause: 'the worker was down',
  },
  { fromSeconds: seconds(hoursAgo(24 - hours)), toSeconds: seconds(now), state: 'final' as const },
];

test('a healthy trail passes every check, without a cure', () => {
  const report = judge();
  expect(report.status).toBe('PASS');
  expect(report.checks.map(({ cure }) => cure).join('')).toBe('');
  expect(report.checks.map(({ name }) => name)).toEqual([
    'database',
    'temporal',
    'supervisor',
    'schedules',
    'freshness',
    'coverage',
    'digest',
    'certificates',
    'export',
  ]);
});

describe('each problem has its check, status and cure', () => {
  test.each<[string, Parameters<typeof judge>, string[][]]>([
    [
      'no supervisor',
      [
        {},
        {
          supervisor: {
            state: undefined,
            trailId: undefined,
            taskProblem: undefined,
            readerProblem: undefined,
            paused: undefined,
          },
        },
      ],
      [['supervisor', 'FAIL']],
    ],
    [
      'a terminated supervisor',
      [
        {},
        {
          supervisor: {
            state: 'TERMINATED',
            trailId: undefined,
            taskProblem: undefined,
            readerProblem: undefined,
            paused: undefined,
          },
        },
      ],
      [['supervisor', 'FAIL']],
    ],
    [
      'a supervisor whose workflow task fails',
      [{}, { supervisor: { ...goodControl.supervisor, taskProblem: 'X' } }],
      [['supervisor', 'FAIL']],
    ],
    [
      'a supervisor of another database',
      [{}, { supervisor: { ...goodControl.supervisor, trailId: 'other' } }],
      [['supervisor', 'FAIL']],
    ],
    ['no worker polls', [{}, { pollers: 0 }], [['supervisor', 'FAIL']]],
    [
      'a reader that fails',
      [{}, { supervisor: { ...goodControl.supervisor, readerProblem: 'Goldmane is away. Start it.' } }],
      [['supervisor', 'WARN']],
    ],
    [
      'readers that a person has paused',
      [{}, { supervisor: { ...goodControl.supervisor, paused: { what: 'paused', cure: 'Resume' } } }],
      [['supervisor', 'WARN']],
    ],
    [
      'a supervisor that a person has paused',
      [
        {},
        {
          supervisor: {
            ...goodControl.supervisor,
            state: 'PAUSED',
            paused: { what: 'paused', cure: 'Resume' },
          },
        },
      ],
      [['supervisor', 'WARN']],
    ],
    [
      'a schedule that never runs again',
      [{}, { schedules: [schedule('digest', { nextDueAt: undefined })] }],
      [['schedules', 'FAIL']],
    ],
    [
      'a missing schedule',
      [{}, { schedules: [schedule('digest', { exists: false })] }],
      [['schedules', 'FAIL']],
    ],
    [
      'a paused schedule',
      [{}, { schedules: [schedule('digest', { isPaused: true })] }],
      [['schedules', 'WARN']],
    ],
    [
      'late data',
      [{ freshness: { severity: 'warning', what: 'late', cause: 'look' } }],
      [['freshness', 'WARN']],
    ],
    [
      'stalled data',
      [{ freshness: { severity: 'critical', what: 'stalled', cause: 'look' } }],
      [['freshness', 'FAIL']],
    ],
    ['a gap', [{ coverage: stretch(1, 'gap') }], [['coverage', 'WARN']]],
    ['refused records', [{ coverage: stretch(1, 'incomplete') }], [['coverage', 'WARN']]],
    ['old time that was only streamed', [{ coverage: stretch(1, 'streamed') }], [['coverage', 'WARN']]],
    ['more gap than observed time', [{ coverage: stretch(13, 'gap') }], [['coverage', 'FAIL']]],
    ['an empty trail', [{ coverage: [] }], [['coverage', 'WARN']]],
    [
      'a digest that is waiting',
      [{ digests: { doneAt: hoursAgo(25), waitingSince: hoursAgo(3) } }],
      [['digest', 'FAIL']],
    ],
    [
      'a digest that did not run',
      [
        { digests: { doneAt: hoursAgo(27), waitingSince: undefined } },
        { schedules: [schedule('digest', { lastDueAt: hoursAgo(3) })] },
      ],
      [['digest', 'FAIL']],
    ],
    ['flow logs not exported at all', [{ export: { ...goodTrail.export, isEnabled: false } }], []],
    [
      'flow logs that are behind',
      [{ export: { ...goodTrail.export, upToSeconds: seconds(hoursAgo(0.6)) } }],
      [['export', 'WARN']],
    ],
    [
      'no worker that exports',
      [{ export: { ...goodTrail.export, activeAt: hoursAgo(0.6) } }],
      [['export', 'WARN']],
    ],
    [
      'a gap of the export',
      [{ export: { ...goodTrail.export, gaps: [exportGap('missing')] } }],
      [['export', 'WARN']],
    ],
    [
      'unsettled time in the export',
      [{ export: { ...goodTrail.export, gaps: [exportGap('not_settled')] } }],
      [],
    ],
    ['certificates never checked', [{ certificates: undefined }], [['certificates', 'WARN']]],
    [
      'certificates that expire soon',
      [{ certificates: { state: 'expiring', detail: 'Renew', checkedAt: now } }],
      [['certificates', 'WARN']],
    ],
    [
      'certificates that do not work, with other findings',
      [{ certificates: { state: 'stale_copy+expiring', detail: 'Renew', checkedAt: now } }],
      [['certificates', 'FAIL']],
    ],
    [
      'certificates checked days ago',
      [{ certificates: { state: 'good', detail: '', checkedAt: hoursAgo(50) } }],
      [['certificates', 'WARN']],
    ],
    ['a clock that is ahead', [{ clockAheadMs: 300_000 }], [['database', 'WARN']]],
    ['a clock that is behind', [{ clockAheadMs: -300_000 }], [['database', 'WARN']]],
    ['no database', [away], [['database', 'FAIL']]],
    ['no Temporal', [{}, away], [['temporal', 'FAIL']]],
  ])('%s', (_what, facts, expected) => {
    expect(wrong(...facts)).toEqual(expected);
    for (const { status, cure } of judge(...facts).checks) if (status !== 'PASS') expect(cure).not.toBe('');
  });
});

test('a running digest and one that is not due yet pass', () => {
  expect(wrong({ digests: { doneAt: hoursAgo(25), waitingSince: hoursAgo(0.2) } })).toEqual([]);
  const notDue = { schedules: [schedule('digest', { lastDueAt: undefined })] };
  expect(wrong({ digests: { doneAt: undefined, waitingSince: undefined } }, notDue)).toEqual([]);
});

test('certificates of a new trail pass until their first check is due', () => {
  const notDue = { schedules: [schedule('certificates', { lastDueAt: undefined })] };
  expect(wrong({ certificates: undefined }, notDue)).toEqual([]);
});

test('a database that answers but cannot be used is a failed check with its own cure', () => {
  const { checks, status } = assessHealth({
    nowMs: now.getTime(),
    trail: goodTrail,
    control: goodControl,
    databaseTrouble: { what: 'Postgres is read-only', cure: 'Use the primary' },
    formatTime: String,
  });
  expect(status).toBe('FAIL');
  expect(checks[0]).toMatchObject({ name: 'database', status: 'FAIL', cure: 'Use the primary' });
});

test('the last hour may be only streamed', () => {
  const coverage = [
    { fromSeconds: seconds(hoursAgo(24)), toSeconds: seconds(hoursAgo(1)), state: 'final' as const },
    { fromSeconds: seconds(hoursAgo(1)), toSeconds: seconds(now), state: 'streamed' as const },
  ];
  expect(wrong({ coverage })).toEqual([]);
});

test('the report has the worst status, and its detail names each problem', () => {
  const { status, detail } = judge({ certificates: undefined }, away);
  expect(status).toBe('FAIL');
  expect(detail).toMatch(/^temporal: .*; certificates: /);
});

test('the text has one line per check, and the cure below', () => {
  expect(healthLines(judge()).length).toBe(9);
  expect(healthLines(judge({}, away)).join('\n')).toContain(away.cure);
});
