import { expect } from 'vitest';

/** The texts that people read, by situation; one line or paragraph each. */
export type Sentences = Record<string, string>;

/** Compares with test/fixtures/sentences/<name>.txt; `npx vitest run --project unit test/unit/sentences -u` rewrites it. */
export async function expectSentences(name: string, sentences: Sentences): Promise<void> {
  const text = Object.entries(sentences)
    .map(([situation, sentence]) => `${situation}\n${sentence.trimEnd().replaceAll(/^/gm, '  ')}\n`)
    .join('\n');
  await expect(text).toMatchFileSnapshot(`../../fixtures/sentences/${name}.txt`);
}
