import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DigestInput } from '../../../src/reports/digest.ts';
import { edge, edges, messagesOf, now, yesterday } from '../reports/digests.ts';
import { problemsOf, textsOf } from './block-rules.ts';

const key = ({ srcNs, dstNs, action }: { srcNs: string; dstNs: string; action: string }) =>
  JSON.stringify([srcNs, dstNs, action]);

/** Checks that Slack accepts every message and that together they announce exactly the edges. */
function check(change: Partial<DigestInput>): ReturnType<typeof messagesOf> {
  const messages = messagesOf(change, 'https://map.example.net/?a=1&b=<2>|3');
  for (const { message } of messages) expect(problemsOf(message)).toEqual([]);
  const announced = messages.flatMap((message) => message.edges.map(key));
  expect(announced.toSorted()).toEqual((change.edges ?? [edge()]).map(key).toSorted());
  return messages;
}

function allText(messages: ReturnType<typeof messagesOf>): string {
  return messages.flatMap(({ message }) => textsOf(message)).join('\n');
}

test('the rules for messages detect violations', () => {
  const section = (text: string) => ({
    text: 'x',
    blocks: [{ type: 'section', text: { type: 'mrkdwn', text } }],
  });
  expect(problemsOf(section('fine &amp; <https://a.example/?a&amp;b|a map>'))).toEqual([]);
  expect(problemsOf(section('x'.repeat(3_001)))).not.toEqual([]);
  expect(problemsOf(section('<!channel>'))).not.toEqual([]);
  expect(problemsOf(section('a &am'))).not.toEqual([]);
  expect(problemsOf({ text: 'x', blocks: Array.from({ length: 51 }, () => ({ type: 'divider' })) })).toEqual([
    'has 51 blocks',
  ]);
});

describe('a digest of', () => {
  test('no edges has no message', () => {
    expect(check({ edges: [] })).toEqual([]);
  });

  test('one edge has one short message', () => {
    const messages = check({});
    expect(messages).toHaveLength(1);
    expect(allText(messages)).toContain('→ `billing`  since Mon 23 Nov 07:41 · 12 flows');
    expect(messages[0]?.message.text).toBe(
      '1 new edge, from Sun 22 Nov 08:00 GMT to Mon 23 Nov 08:00 GMT: `shop` → `billing`. digest/2026-11-23T08:00:00Z',
    );
  });

  test('40 edges lists each; 41 edges are summarised', () => {
    expect(allText(check({ edges: edges(40) })).match(/^→ /gm)).toHaveLength(40);
    expect(allText(check({ edges: edges(41) })).match(/^→ /gm)).toBeNull();
  });

  test('360 edges has one message: denied edges, edges to data, counts by source, the command', () => {
    const rows = edges(360).map((row, index) => (index % 30 === 0 ? { ...row, dstNs: 'dbaas' } : row));
    const unique = [...new Map(rows.map((row) => [key(row), row])).values()];
    const messages = check({ edges: unique });
    expect(messages).toHaveLength(1);
    const text = allText(messages);
    const order = ['*Denied by policy*', '`dbaas` ← ', '*New edges by source*', 'flow-trail digest show '];
    const positions = order.map((part) => text.indexOf(part));
    expect(positions).not.toContain(-1);
    expect(positions).toEqual(positions.toSorted((a, b) => a - b));
  });

  test('a new trail introduces it, with the denied edges, in one message', () => {
    const messages = check({
      edges: edges(390),
      previousPostedAt: undefined,
      previousDoneAt: undefined,
      trail: { since: yesterday, namespaces: 90, edges: 390 },
      deniedEdges: edges(390).filter(({ action }) => action === 'deny'),
    });
    expect(messages).toHaveLength(1);
    const text = allText(messages);
    expect(text).toContain('390 edges (20 denied) between 90 namespaces');
    expect(text).toContain('`flow-trail edges`');
  });

  test('few edges of an adopted table shows denied edges that existed before', () => {
    const text = allText(
      check({
        previousPostedAt: undefined,
        takenAsKnown: 1,
        deniedEdges: [{ srcNs: 'old', dstNs: 'vault' }],
      }),
    );
    expect(text).toContain('`old` → `vault`');
  });

  test.each([
    ['90 namespaces', 90],
    ['one namespace', 1],
    ['as many namespaces', 5_000],
  ])('5,000 edges of %s is summarised, with matching totals', (_, sources) => {
    const messages = check({ edges: edges(5_000, sources) });
    expect(messages.length).toBeLessThanOrEqual(2);
    const text = allText(messages);
    expect(text).toContain('5,000 new edges, 250 of them denied');
    expect(text).toContain('flow-trail digest show digest/2026-11-23T08:00:00Z');
    const [, bySource = ''] = text.split('*New edges by source*');
    const named = [...bySource.matchAll(/`team-\d+` ([\d,]+)/g)].map(([, count]) => toNumber(count));
    const rest = toNumber(/^and ([\d,]+) more, in [\d,]+ namespaces?$/m.exec(bySource)?.[1] ?? '0');
    expect(named.reduce((sum, count) => sum + count, rest)).toBe(5_000);
  });

  test('a summary lists denied edges up to a limit, then counts the others', () => {
    const text = allText(check({ edges: edges(5_000, 1_000) }));
    const [, refused = ''] = /\*Denied by policy\*(.*?)\*New edges by source\*/s.exec(text) ?? [];
    const lines = refused.split('\n').filter((line) => line.startsWith('`team-'));
    const inLines = lines.map((line) => {
      const more = toNumber(/ and ([\d,]+) more$/.exec(line)?.[1] ?? '0');
      return (line.match(/`service-\d+`/g)?.length ?? 0) + more;
    });
    const rest = toNumber(/^and ([\d,]+) more, in [\d,]+ namespaces?$/m.exec(refused)?.[1] ?? '0');
    expect(inLines.reduce((sum, count) => sum + count, rest)).toBe(250);
  });

  test('edges that were found late are marked', () => {
    const text = allText(check({ edges: [edge({ firstSeen: new Date('2026-11-20T10:00:00Z') })] }));
    expect(text).toContain('since Fri 20 Nov 10:00 · 12 flows · _found late_');
    expect(text).toContain('1 _found late_: first seen before an earlier digest');
  });

  test('a period with gaps lists unobserved time; one without states that there is none', () => {
    const seconds = yesterday.getTime() / 1000;
    const gaps = Array.from({ length: 40 }, (_, index) => ({
      fromSeconds: seconds + index * 600,
      toSeconds: seconds + (index + 1) * 600,
      state: index % 2 === 0 ? ('gap' as const) : ('final' as const),
      cause: '<&>'.repeat(2_000),
    }));
    const text = allText(check({ coverage: gaps, coverageFrom: yesterday, now }));
    expect(text).toContain('Not observed: 3 h 20 min, in 20 gaps.');
    expect(text).toContain('and 15 more gaps');
    expect(allText(check({}))).toContain(', no gaps');
  });
});

test('a link to the map contains only the configured address', () => {
  expect(allText(check({}))).toContain('<https://map.example.net/?a=1&amp;b=%3C2%3E%7C3|Map of all edges>');
  expect(allText(messagesOf())).not.toContain('Map');
});

describe('for any names in the cluster', () => {
  const nasty = fc.oneof(
    fc.constantFrom(
      '<!channel>',
      '<@U123>',
      '&amp;',
      '&',
      '`',
      'a`b',
      '*',
      '_x_',
      ':boom:',
      'https://e.example/?a=1&b',
      '\u202e\n\t',
      '👩‍👩‍👧'.repeat(90),
    ),
    fc.string({ unit: 'grapheme', maxLength: 253 }),
    fc.string({ unit: fc.constantFrom('&', '<', '>', '`'), minLength: 1, maxLength: 253 }),
  );
  const keys = fc.uniqueArray(
    fc.record({ srcNs: nasty, dstNs: nasty, action: fc.constantFrom('allow', 'deny', 'pass', '<x>') }),
    { selector: key, maxLength: 60 },
  );

  test('Slack accepts the messages, no entity is cut, and no name becomes a link, a mention or the end of a code span', () => {
    fc.assert(
      fc.property(keys, (names) => {
        const messages = check({ edges: names.map((name) => edge(name)) });
        for (const line of allText(messages).split('\n'))
          if (line.startsWith('→ ')) expect((line.match(/`/g)?.length ?? 0) % 2).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  test.each([400, 2_000])('%d edges with names of maximum length fit', (count) => {
    const long = edges(count, 200).map((row) => ({
      ...row,
      srcNs: `${row.srcNs}${'&'.repeat(240)}`,
      dstNs: `${row.dstNs}${'<'.repeat(240)}`,
    }));
    expect(check({ edges: long }).length).toBeLessThanOrEqual(4);
  });
});

function toNumber(text: string | undefined): number {
  return Number((text ?? '0').replaceAll(',', ''));
}
