import { expect, test } from 'vitest';
import type { SupervisorNow } from '../../../src/cli/ask-supervisor.ts';
import { agesOf, clockProblem, problemsOf, trailProblem } from '../../../src/cli/assess-status.ts';
import { status as statusSchema } from '../../../src/cli/schemas/operation.ts';
import { statusAnswer } from '../../../src/cli/status.ts';
import { emptyStatus } from '../../../src/workflows/status.ts';

const at = '2026-11-30T05:00:00.000Z';
const fresh = { lagSeconds: 30, dataAgeSeconds: 30, reportAgeSeconds: 5 };
const nowMs = Date.parse(at) + 3_600_000;
const why = 'Wrong CA: these files have never worked.';

type State = 'connecting' | 'connected' | 'failing';

/** A supervisor with both readers in the same state, optionally after a failed attempt. */
function supervisor(state: State, lastFailure: string | undefined): SupervisorNow {
  const error = state === 'failing' ? { error: why } : {};
  const reader = { attempt: 3, isPaused: false, lastFailure };
  return {
    state: 'RUNNING',
    trailId: 'own',
    startedAt: new Date(at),
    closedAt: undefined,
    problem: undefined,
    paused: undefined,
    unanswered: undefined,
    readers: [
      { ...reader, activity: 'streamFlows', progress: { ...error, reader: 'stream', at, state } },
      { ...reader, activity: 'settleBuckets', progress: { ...error, reader: 'settle', at, state } },
    ],
    status: { ...emptyStatus(at), ...(state === 'failing' ? { lastError: why } : {}) },
  };
}

test.each<[State, string | undefined, string[]]>([
  ['failing', why, [why]],
  // The error of this attempt takes precedence over the failure of the previous one.
  ['failing', 'activity Heartbeat timeout', [why]],
  // Between two attempts a reader reports no error.
  ['connecting', why, [why]],
  ['connecting', undefined, []],
  // Temporal keeps the failure of the previous attempt.
  ['connected', why, []],
  ['connected', undefined, []],
])('readers that are %s after the failure %s: the problems are %j', (state, lastFailure, problems) => {
  expect(problemsOf(supervisor(state, lastFailure), fresh, nowMs)).toEqual(problems);
});

test('a pause is a problem, and the only one of a supervisor that is paused itself', () => {
  const paused = 'The readers were paused at 05:00. Resume them.';
  expect(problemsOf({ ...supervisor('connected', undefined), paused }, fresh, nowMs)).toEqual([paused]);
  expect(problemsOf({ ...supervisor('failing', why), state: 'PAUSED', paused }, fresh, nowMs)).toEqual([
    paused,
  ]);
});

test('a supervisor without data is a problem only six minutes after its start', () => {
  const withoutData = { ...fresh, lagSeconds: undefined, dataAgeSeconds: undefined };
  const problemsAfter = (seconds: number) =>
    problemsOf(supervisor('connected', undefined), withoutData, Date.parse(at) + seconds * 1_000);
  expect(problemsAfter(359)).toEqual([]);
  expect(problemsAfter(360)).toHaveLength(1);
});

test.each([supervisor('connected', undefined), supervisor('failing', why), undefined])(
  'the JSON has only the fields of its schema (case %#)',
  (now) => {
    const ages = agesOf(now?.status, Date.parse(at) + 60_000);
    const limited = { namespaces: [], total: 0 };
    const answer = statusAnswer({ supervisor: now, ages, problems: [], exported: undefined, limited });
    expect(statusSchema.safeParse(JSON.parse(JSON.stringify(answer))).error).toBeUndefined();
  },
);

test('a clock that differs from the database’s by a minute or more is a problem', () => {
  expect([undefined, 0, 59_000, -59_000].flatMap((aheadMs) => clockProblem(aheadMs))).toEqual([]);
  expect(clockProblem(300_000)[0]).toContain('300 s ahead of');
  expect(clockProblem(-61_000)[0]).toContain('61 s behind');
});

test('a running supervisor of another database is a problem', () => {
  const running = supervisor('connected', undefined);
  expect(trailProblem(running, 'other')).toHaveLength(1);
  expect(trailProblem(running, 'own')).toEqual([]);
  // An older version started it, or the database does not respond.
  expect(trailProblem({ ...running, trailId: undefined }, 'own')).toEqual([]);
  expect(trailProblem(running, undefined)).toEqual([]);
  expect(trailProblem({ ...running, state: 'TERMINATED' }, 'other')).toEqual([]);
});
