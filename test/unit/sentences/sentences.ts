import { expect } from 'vitest';

/** A line for each situation, or a paragraph; the situation is what the code decides by, the rest is what people read. */
export type Sentences = Record<string, string>;

/** Compares with test/fixtures/sentences/<name>.txt; `npx vitest run --project unit test/unit/sentences -u` writes it anew. */
export async function expectSentences(name: string, sentences: Sentences): Promise<void> {
  const text = Object.entries(sentences)
    .map(([situation, sentence]) => `${situation}\n${sentence.trimEnd().replaceAll(/^/gm, '  ')}\n`)
    .join('\n');
  await expect(text).toMatchFileSnapshot(`../../fixtures/sentences/${name}.txt`);
}
