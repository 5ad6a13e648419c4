import { expect, test } from 'vitest';
import { currentDetails } from '../../../src/workflows/details.ts';
import { emptyStatus, withProgress } from '../../../src/workflows/status.ts';

const now = '2026-01-31T08:15:00.123Z';

test('times are in seconds, and unknown values are a dash', () => {
  const text = currentDetails(
    withProgress(emptyStatus(now), {
      reader: 'stream',
      at: now,
      state: 'connected',
      newestBucket: '2026-01-31T08:14:30.000Z',
    }),
  );
  expect(text.replaceAll('\u{a0}', '')).toContain('| Up to bucket | 2026-01-31 08:14:30 | - |');
});

test('text from the cluster cannot change the page', () => {
  const text = currentDetails(
    withProgress(
      withProgress(emptyStatus(now), {
        reader: 'stream',
        at: now,
        state: 'failing',
        error: '<img src=x>\n| [link](http://x) `a`\n# title',
      }),
      {
        reader: 'settle',
        at: now,
        state: 'connected',
        gaps: [{ from: `${now}|<b>`, to: now, cause: '**bold** <script>' }],
      },
    ),
  );
  // Each markup character is escaped, so that no table row, tag, link or heading can begin.
  const plain = text.replaceAll(/\\[\\`*_[\]<>|#]/g, '');
  expect(plain).not.toMatch(/<|\[|`|#/);
  expect(plain.split('\n').filter((line) => line.startsWith('|'))).toHaveLength(8);
});
