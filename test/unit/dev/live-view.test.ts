import { describe, expect, test } from 'vitest';
import { describeTrail, News } from '../../../dev/live-view.ts';
import { cut, openTerminal } from '../../../dev/terminal.ts';
import type { TrailSnapshot } from '../../../dev/trail-reader.ts';
import { readLogLine } from '../../../dev/worker-process.ts';

const edge = (srcNs: string, action = 'allow') => ({ srcNs, dstNs: 'dbaas', action });

function snapshot(fields: Partial<TrailSnapshot> = {}): TrailSnapshot {
  return {
    edges: [],
    records: 0,
    newestEndSeconds: undefined,
    lastMergeMs: undefined,
    coverage: { final: 0, settled: 0, streamed: 0, gap: 0 },
    trouble: undefined,
    ...fields,
  };
}

describe('the news of the trail', () => {
  test('reports each new edge once, by name', () => {
    const news = new News();
    news.of({ edges: [] }, 1);
    expect(news.of({ edges: [edge('blog')] }, 9)).toEqual([expect.stringMatching(/^first 1 edges .*9 s/)]);
    expect(news.of({ edges: [edge('blog'), edge('wiki', 'deny')] }, 10)).toEqual(['+ wiki -> dbaas (deny)']);
    expect(news.of({ edges: [edge('blog'), edge('wiki', 'deny')] }, 11)).toEqual([]);
  });

  test('only counts edges that existed before, and many new edges at once', () => {
    const news = new News();
    expect(news.of({ edges: [edge('blog')] }, 1)).toEqual([expect.stringMatching(/^1 edges/)]);
    const many = Array.from({ length: 20 }, (_, index) => edge(`app-${index}`));
    expect(news.of({ edges: [edge('blog'), ...many] }, 2)).toEqual(['+ 20 new edges']);
  });
});

describe('the summary of the trail', () => {
  test('contains edges, denials, lag, last merge and the coverage of the last hour', () => {
    const lines = describeTrail(
      snapshot({
        edges: [edge('blog'), edge('wiki', 'deny')],
        records: 12_345,
        newestEndSeconds: 1_000,
        lastMergeMs: 1_015_000,
        coverage: { final: 10, settled: 200, streamed: 20, gap: 4 },
      }),
      undefined,
      1_017_000,
    );
    expect(lines).toEqual([
      '2 edges (1 denied), 12,345 records; lag 17 s, last merge 2 s ago',
      'last hour: 210 of 240 buckets settled (10 final), 20 streamed, 6 waiting, 4 missed',
    ]);
  });

  test('shows the reason why the worker waits', () => {
    expect(describeTrail(snapshot(), 'starting', 0).at(-1)).toBe('worker: starting');
    expect(describeTrail(snapshot({ trouble: 'unknown_ca' }), undefined, 0).at(-1)).toBe(
      'worker: unknown_ca',
    );
  });
});

test('lines are cut to the width of the terminal, not counting colours', () => {
  expect(cut('0123456789', 4)).toBe('0123');
  expect(cut('\u001b[1m0123456789\u001b[0m', 4)).toBe('\u001b[1m0123\u001b[0m');
});

function screen(isTTY: boolean) {
  let written = '';
  const output = {
    isTTY,
    columns: 24,
    write: (text: string) => {
      written += text;
    },
  };
  return { output, written: () => written };
}

test('without a terminal, lines are printed instead of a redrawn block', () => {
  const { output, written } = screen(false);
  const terminal = openTerminal(output, {});
  terminal.line('one');
  terminal.block(['two']);
  expect(written()).toBe('one\n');
  expect(terminal.isInteractive).toBe(false);
});

test('on a terminal, the block stays below the log, and none of its lines wraps', () => {
  const { output, written } = screen(true);
  const terminal = openTerminal(output, { NO_COLOR: '1' });
  terminal.block(['status', 'x'.repeat(100)]);
  terminal.line('an edge');
  const block = `status\n${'x'.repeat(23)}\n`;
  expect(written()).toBe(`${block}\u001b[2A\u001b[0Jan edge\n${block}`);
});

test('log lines of the worker are shown with their cause, other output is not', () => {
  const line = JSON.stringify({ level: 'warn', msg: 'waiting', err: { message: 'no route\nmore' } });
  expect(readLogLine(line)).toEqual({ level: 'warn', message: 'waiting: no route' });
  const withReason = JSON.stringify({ level: 'warn', msg: 'waiting', reason: 'no route' });
  expect(readLogLine(withReason)).toEqual({ level: 'warn', message: 'waiting: no route' });
  expect(readLogLine('plain')).toBeUndefined();
  expect(readLogLine('{"broken')).toBeUndefined();
});
