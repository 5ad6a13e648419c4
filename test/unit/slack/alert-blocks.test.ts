import fc from 'fast-check';
import { expect, test } from 'vitest';
import { alertMessage, type AlertText } from '../../../src/slack/alert-blocks.ts';

const alert: AlertText = {
  severity: 'critical',
  title: 'stale copy of the certificates',
  paragraphs: ['Stale copy: it worked until 08:00. Re-apply.'],
  fields: [['Handshake', 'refused']],
  context: 'flow-trail · certificates',
};

test('an alert shows severity as emoji and word, paragraphs, fields and context', () => {
  expect(alertMessage(alert)).toEqual({
    text: 'Critical: stale copy of the certificates\nStale copy: it worked until 08:00. Re-apply.',
    blocks: [
      {
        type: 'header',
        text: {
          type: 'plain_text',
          text: ':rotating_light: Critical: stale copy of the certificates',
          emoji: true,
        },
      },
      {
        type: 'section',
        text: {
          type: 'mrkdwn',
          text: 'Stale copy: it worked until 08:00. Re-apply.',
          verbatim: true,
        },
      },
      { type: 'section', fields: [{ type: 'mrkdwn', text: '*Handshake*\nrefused', verbatim: true }] },
      {
        type: 'context',
        elements: [{ type: 'mrkdwn', text: 'flow-trail · certificates', verbatim: true }],
      },
    ],
  });
});

test.each([
  ['good', false, 'Resolved:'],
  ['warning', false, 'Warning:'],
  ['critical', false, 'Critical:'],
  ['critical', true, 'Page:'],
] as const)('%s (page: %s) begins with %s', (severity, isPage, begins) => {
  expect(alertMessage({ ...alert, severity, isPage }).text).toMatch(new RegExp(`^${begins}`));
});

test('omitted paragraphs are counted', () => {
  const paragraphs = Array.from({ length: 9 }, (_, index) => `finding ${index}`);
  const { blocks } = alertMessage({ ...alert, paragraphs });
  expect(JSON.stringify(blocks)).toContain('… and 3 more');
});

const text = fc.string({
  unit: fc.constantFrom('&', '<', '>', '!', '@', 'a', ' ', '\n', '😀'),
  maxLength: 2_500,
});

test('with any texts, the message is within Slack’s limits and contains no mention or link', () => {
  fc.assert(
    fc.property(
      fc.array(text, { maxLength: 12 }),
      fc.array(fc.tuple(text, text), { maxLength: 14 }),
      text,
      (paragraphs, fields, title) => {
        const message = alertMessage({ ...alert, title, paragraphs, fields, context: `about ${title}` });
        expect(message.blocks.length).toBeLessThanOrEqual(50);
        let length = 0;
        for (const block of message.blocks) {
          const texts =
            block.type === 'header'
              ? [{ ...block.text, limit: 150 }]
              : block.type === 'section'
                ? [block.text ?? [], block.fields ?? []].flat().map((each) => ({ ...each, limit: 2_000 }))
                : block.type === 'context'
                  ? block.elements.flatMap((each) => ('text' in each ? [{ ...each, limit: 2_000 }] : []))
                  : [];
          expect(texts.length).toBeGreaterThan(0);
          expect(texts.length).toBeLessThanOrEqual(10);
          for (const { text: shown, limit } of texts) {
            expect(shown.trim()).not.toBe('');
            expect(shown.length).toBeLessThanOrEqual(limit);
            expect(shown).not.toMatch(/[<>]|&(?!amp;|lt;|gt;)/);
            length += shown.length;
          }
        }
        expect(length).toBeLessThan(13_000);
      },
    ),
  );
});
