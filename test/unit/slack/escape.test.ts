import fc from 'fast-check';
import { expect, test } from 'vitest';
import { escapeText, escapeToFit } from '../../../src/slack/escape.ts';

const hostile = fc.string({
  unit: fc.constantFrom('&', '<', '>', '!', '@', 'a', '|', ';', 'ä', '😀', '&amp;'),
});

test('text from the cluster forms no link, mention or entity', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const escaped = escapeText(text);
      expect(escaped).not.toMatch(/[<>]/);
      expect(escaped.replace(/&(amp|lt|gt);/g, '')).not.toContain('&');
    }),
  );
});

test('long text is cut between characters, never inside an entity, with an ellipsis', () => {
  fc.assert(
    fc.property(hostile, fc.integer({ min: 1, max: 40 }), (text, limit) => {
      const fitted = escapeToFit(text, limit);
      expect(fitted.length).toBeLessThanOrEqual(limit);
      expect(fitted.replace(/&(amp|lt|gt);/g, '')).not.toContain('&');
      expect(fitted).not.toMatch(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])/);
      if (fitted !== escapeText(text)) expect(fitted.endsWith('…')).toBe(true);
    }),
  );
});
