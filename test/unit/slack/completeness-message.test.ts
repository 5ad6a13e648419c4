import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  assessCompleteness,
  type CompletenessReport,
  type NamespaceCompleteness,
} from '../../../src/reports/completeness.ts';
import { verdicts, type Verdict } from '../../../src/coverage/verdict.ts';
import { changesByVerdict, type CompletenessNews } from '../../../src/reports/completeness-news.ts';
import { completenessMessage } from '../../../src/slack/completeness-message.ts';
import type { SlackMessage } from '../../../src/slack/message.ts';
import { at, judged, seenDaily, stretch, usual, withEdge } from '../reports/weeks.ts';

const row = judged(withEdge(seenDaily(0, 9), 0), { now: 9 });

function reportOf(namespaces: NamespaceCompleteness[]): CompletenessReport {
  const empty = assessCompleteness({
    observations: [],
    coverage: [stretch(0, 8.5), stretch(8.5, 9, 'gap')],
    nowSeconds: at(9),
    timeZone: 'Europe/London',
    thresholds: usual,
  });
  const count = (verdict: Verdict) => namespaces.filter((one) => one.verdict === verdict).length;
  return {
    ...empty,
    namespaces,
    counts: {
      complete: count('complete'),
      unstable: count('unstable'),
      learning: count('learning'),
      stale: count('stale'),
    },
  };
}

function messageOf(
  kind: CompletenessNews['kind'],
  namespaces: NamespaceCompleteness[],
  changed: NamespaceCompleteness[] = [],
): SlackMessage {
  const changes = changed.map((one) => ({ row: one, was: 'learning' }));
  return completenessMessage(
    'completeness/2026-11-11T07:30:00Z',
    reportOf(namespaces),
    { kind, changes },
    changesByVerdict(changes),
  );
}

function sections({ blocks }: SlackMessage): string[] {
  return blocks.flatMap((block) => (block.type === 'section' ? [block.text?.text ?? ''] : []));
}

describe('a message', () => {
  test('about changes lists them by verdict, with the previous verdict and details', () => {
    const stale = { ...row, namespace: 'old', verdict: 'stale' as const };
    const message = messageOf('changes', [row, stale], [row, stale]);
    expect(message.text).toContain('2 namespaces changed');
    expect(message.text).toContain('completeness/2026-11-11T07:30:00Z');
    expect(sections(message)).toEqual([
      expect.stringMatching(
        /^2 namespaces: 1 complete, 0 unstable, 0 learning, 1 stale\n.*8\.5 days since Mon 2 Nov 00:00 GMT.*0\.5 days in 1 .*`flow-trail coverage --gaps`$/,
      ),
      '*Newly complete*  1\n`a`  since Mon 9 Nov 00:00 · 1 edge · was learning',
      '*Newly stale*  1\n`old`  last seen Tue 10 Nov 23:59 · was learning',
    ]);
  });

  test('of the first report contains only counts', () => {
    expect(sections(messageOf('first', [row]))).toHaveLength(1);
  });

  test('of the weekly report lists incomplete namespaces, and hours that were never observed', () => {
    const rows = [
      { ...row, namespace: 'holes', neverCovered: ['sunday'] },
      { ...row, namespace: 'young', verdict: 'learning' as const },
      { ...row, namespace: 'moving', verdict: 'unstable' as const },
    ];
    const text = sections(messageOf('weekly', [row, ...rows])).slice(1);
    expect(text).toEqual([
      '*Unstable*  1\n`moving`  newest edge Mon 9 Nov 00:00',
      expect.stringMatching(/^\*Learning\*  1\n`young`  .*9 days/),
      expect.stringMatching(/^\*Complete, .*\*  1\n`holes`  since Mon 9 Nov 00:00 · 1 edge · .*: sunday$/),
    ]);
  });

  test('does not turn a namespace’s name into a link, mention or entity', () => {
    const text = JSON.stringify(
      messageOf('changes', [row], [{ ...row, namespace: '<!here|x>&`*https://evil.example*' }]),
    );
    expect(text).not.toContain('<!here');
    expect(text).toContain('`&lt;!here|x&gt;&amp;ˋ*https://evil.example*`');
  });
});

const anyRow: fc.Arbitrary<NamespaceCompleteness> = fc
  .record({
    namespace: fc.oneof(
      fc.string({ maxLength: 253, unit: 'binary' }),
      fc.stringMatching(/^[&<>"\n]{0,253}$/),
    ),
    verdict: fc.constantFrom(...verdicts),
    neverCovered: fc.constantFrom(
      [],
      ['sunday'],
      Array.from({ length: 7 }, () => 'monday 00:00-01:00, 02:00-03:00'),
    ),
  })
  .map((change) => ({ ...row, ...change }));

test('is within Slack’s limits for any number of changes, and names or counts each', () => {
  const numbers = fc.oneof(
    fc.array(anyRow, { maxLength: 30 }),
    fc.array(anyRow, { minLength: 900, maxLength: 1_000 }),
  );
  fc.assert(
    fc.property(
      numbers,
      fc.constantFrom<CompletenessNews['kind']>('changes', 'weekly', 'first'),
      (rows, kind) => {
        const message = messageOf(kind, rows, kind === 'first' ? [] : rows);
        expect(message.blocks.length).toBeLessThanOrEqual(50);
        expect(JSON.stringify(message.blocks).length).toBeLessThanOrEqual(13_000);
        for (const text of sections(message)) expect(text.length).toBeLessThanOrEqual(3_000);
        if (kind === 'first') return;
        const lists = sections(message)
          .slice(1)
          .filter((text) => /^\*(Newly|Now) /.test(text));
        const counts = lists.map((text) => {
          const lines = text.split('\n').slice(1);
          const more = /^and ([\d,]+) more/.exec(lines.at(-1) ?? '')?.[1]?.replaceAll(',', '');
          return lines.length + (more === undefined ? 0 : Number(more) - 1);
        });
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(rows.length);
      },
    ),
    { numRuns: 60 },
  );
});
