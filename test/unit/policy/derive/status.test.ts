import { describe, expect, test } from 'vitest';
import { namespaceJudge } from '../../../../src/policy/derive/status.ts';
import type { CoverageState, CoverageStretch } from '../../../../src/trail/coverage-ranges/coverage.ts';
import { usual } from '../../reports/weeks.ts';
import { fact } from './facts.ts';

const daySeconds = 86_400;

function stretch(
  fromDay: number,
  toDay: number,
  state: CoverageState = 'final',
  cause?: string,
): CoverageStretch {
  return {
    fromSeconds: fromDay * daySeconds,
    toSeconds: toDay * daySeconds,
    state,
    ...(cause === undefined ? {} : { cause }),
  };
}

function seen(firstDay: number, lastDay: number) {
  const days = Array.from(
    { length: Math.ceil(lastDay) - Math.floor(firstDay) },
    (_, index) => Math.floor(firstDay) + index,
  );
  return fact('a', 'b', 'tcp 80', {
    firstSeconds: firstDay * daySeconds,
    lastSeconds: lastDay * daySeconds,
    days,
  });
}

const of = (stretches: CoverageStretch[], ...facts: ReturnType<typeof seen>[]) =>
  namespaceJudge(stretches, usual)(facts, facts);

describe('the verdict on a namespace', () => {
  test('is learning below seven covered days', () => {
    expect(of([stretch(0, 6.99)], seen(0, 6.99))).toMatchObject({ verdict: 'learning', coveredDays: 6.9 });
  });

  test('is complete from seven covered days on, if nothing is new', () => {
    expect(of([stretch(0, 7)], seen(0, 7))).toMatchObject({ verdict: 'complete', coveredDays: 7 });
  });

  test('requires at least seven days, even if the input has fewer', () => {
    const status = namespaceJudge([stretch(0, 3)], { ...usual, minimumDays: 1 })([seen(0, 3)], []);
    expect(status).toMatchObject({ verdict: 'learning', requiredDays: 7 });
  });

  test('requires more days if the input has more', () => {
    const status = namespaceJudge([stretch(0, 9)], { ...usual, minimumDays: 14 })([seen(0, 9)], []);
    expect(status).toMatchObject({ verdict: 'learning', requiredDays: 14 });
  });

  test('is unstable if something was first seen in the last three covered days', () => {
    expect(of([stretch(0, 9)], seen(0, 9), seen(7, 9)).verdict).toBe('unstable');
    expect(of([stretch(0, 9)], seen(0, 9), seen(6, 9)).verdict).toBe('complete');
  });

  test('is not unstable because of traffic that does not count as new', () => {
    const status = namespaceJudge([stretch(0, 9)], usual)([seen(0, 9), seen(7, 9)], [seen(0, 9)]);
    expect(status.verdict).toBe('complete');
  });

  test('is stale if nothing was seen in the last fourteen days, as in the completeness report', () => {
    expect(of([stretch(0, 23)], seen(0, 8)).verdict).toBe('stale');
    expect(of([stretch(0, 21.9)], seen(0, 8)).verdict).toBe('complete');
  });

  test('counts days since the namespace was first seen', () => {
    expect(of([stretch(0, 20)], seen(15, 20))).toMatchObject({ verdict: 'learning', coveredDays: 5 });
  });

  test.each(['gap', 'streamed', 'pending'] as const)('does not count time that is %s', (state) => {
    const status = of([stretch(0, 4), stretch(4, 6, state), stretch(6, 9)], seen(0, 9));
    expect(status).toMatchObject({ verdict: 'complete', coveredDays: 7 });
    expect(of([stretch(0, 4), stretch(4, 6, state), stretch(6, 8.9)], seen(0, 9)).verdict).toBe('learning');
  });

  test('starts again when the namespace reappears after it was stale, as in the completeness report', () => {
    expect(of([stretch(0, 40)], seen(0, 20), seen(36, 40))).toMatchObject({
      verdict: 'learning',
      coveredDays: 4,
    });
    expect(of([stretch(0, 40)], seen(0, 23), seen(36, 40)).coveredDays).toBe(40);
  });

  test('lists gaps with their causes, and time that was only streamed', () => {
    const { gaps } = of(
      [stretch(0, 1), stretch(1, 2, 'gap', 'Goldmane was down'), stretch(2, 3, 'streamed')],
      seen(0, 3),
    );
    expect(gaps.map(({ cause }) => cause)).toEqual([
      'Goldmane was down',
      expect.stringContaining('only streamed'),
    ]);
  });

  test('is learning if nothing is covered', () => {
    expect(of([], seen(0, 3))).toMatchObject({ verdict: 'learning', coveredDays: 0 });
  });
});
