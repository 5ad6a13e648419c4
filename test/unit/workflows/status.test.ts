import { describe, expect, test } from 'vitest';
import { emptyStatus, withProgress, withSummary, type TrailStatus } from '../../../src/workflows/status.ts';
import { connected, failing, settleSummary, streamSummary } from '../../replay/summaries.ts';

const begin = emptyStatus('2026-01-31T07:00:00.000Z');

function after(...steps: ((status: TrailStatus) => TrailStatus)[]): TrailStatus {
  return steps.reduce((status, step) => step(status), begin);
}
const progress =
  (...args: Parameters<typeof connected>) =>
  (status: TrailStatus) =>
    withProgress(status, connected(...args));
const failure =
  (...args: Parameters<typeof failing>) =>
  (status: TrailStatus) =>
    withProgress(status, failing(...args));

test('the initial state is connecting, without further information', () => {
  expect(begin).toMatchObject({
    supervisedSince: '2026-01-31T07:00:00.000Z',
    stream: { state: 'connecting' },
    settle: { state: 'connecting' },
    windows: 0,
    gaps: [],
  });
});

describe('progress', () => {
  test('of one reader does not change the other', () => {
    const status = after(progress('stream'));
    expect(status.stream).toEqual({
      state: 'connected',
      asOf: '2026-01-31T08:15:00.000Z',
      connectedSince: '2026-01-31T08:00:00.000Z',
    });
    expect(status.settle).toEqual(begin.settle);
  });

  test('keeps values that it does not report', () => {
    const reported = withProgress(begin, {
      ...connected('stream'),
      newestBucket: '2026-01-31T08:14:30.000Z',
      lagSeconds: 3,
      edges: 12,
    });
    const later = withProgress(reported, { ...connected('settle'), settledUpTo: '2026-01-31T08:09:00.000Z' });
    expect(later).toMatchObject({
      newestBucket: '2026-01-31T08:14:30.000Z',
      settledUpTo: '2026-01-31T08:09:00.000Z',
      lagSeconds: 3,
      edges: 12,
    });
  });

  test('replaces the gaps by newer ones, and keeps them if it reports none', () => {
    const gap = { from: 'a', to: 'b', cause: 'away' };
    const reported = withProgress(begin, { ...connected('settle'), gaps: [gap] });
    expect(after(() => reported, progress('settle')).gaps).toEqual([gap]);
    expect(withProgress(reported, { ...connected('settle'), gaps: [{ ...gap, to: 'c' }] }).gaps).toEqual([
      { ...gap, to: 'c' },
    ]);
  });
});

describe('the last error', () => {
  test('is shown only while a reader fails', () => {
    expect(after(failure('stream', 'stale')).lastError).toBe('stale');
    expect(after(failure('stream', 'stale'), progress('stream'))).not.toHaveProperty('lastError');
  });

  test('is that of the other reader after one recovers', () => {
    const both = after(failure('stream', 'stale'), failure('settle', 'no answer'));
    expect(both.lastError).toBe('stale');
    expect(withProgress(both, connected('stream')).lastError).toBe('no answer');
  });

  test('is kept when a window ends while the reader fails', () => {
    expect(
      after(failure('settle', 'no answer'), (status) => withSummary(status, settleSummary())).lastError,
    ).toBe('no answer');
  });
});

describe('a completed window', () => {
  test('is counted, and its numbers are added', () => {
    const status = after(
      (former) => withSummary(former, streamSummary()),
      (former) => withSummary(former, settleSummary()),
      (former) => withSummary(former, streamSummary('cancelled')),
    );
    expect(status).toMatchObject({ windows: 3, records: 2_000, lateRecords: 50, newEdges: 5 });
    expect(status.stream.lastWindow).toEqual(streamSummary('cancelled'));
    expect(status.settle.lastWindow).toEqual(settleSummary());
  });

  test('without records keeps the newest bucket and the settled time', () => {
    const status = after(
      (former) => withSummary(former, streamSummary()),
      (former) => withSummary(former, settleSummary()),
      (former) => withSummary(former, { ...streamSummary(), newestBucket: undefined }),
      (former) => withSummary(former, { ...settleSummary(), settledUpTo: undefined }),
    );
    expect(status).toMatchObject({
      newestBucket: '2026-01-31T08:14:30.000Z',
      settledUpTo: '2026-01-31T08:09:00.000Z',
    });
  });

  test('is shown while the next one runs', () => {
    const status = after((former) => withSummary(former, streamSummary()), progress('stream'));
    expect(status.stream.lastWindow).toEqual(streamSummary());
  });

  test('round-trips through JSON, in which it is passed on to the next run', () => {
    const status = after((former) => withSummary(former, streamSummary()), failure('settle', 'no answer'));
    expect(JSON.parse(JSON.stringify(status))).toEqual(status);
  });
});
