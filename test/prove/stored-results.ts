import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { findingSchema, type Finding } from './finding.ts';

const storedFile = z.object({
  commit: z.string(),
  seed: z.number(),
  minutes: z.number(),
  findings: z.array(findingSchema),
});

interface PartResult {
  minutes: number;
  findings: readonly Finding[];
}

/**
 * The results of finished parts, so that an interrupted proof continues with the remaining ones. A result is used only
 * for the same commit and seed.
 */
export class StoredResults {
  readonly #folder: string | undefined;
  readonly #of: { commit: string; seed: number };

  /** @param folder undefined: nothing is stored */
  constructor(folder: string | undefined, of: { commit: string; seed: number }) {
    this.#folder = folder;
    this.#of = of;
  }

  async read(part: string): Promise<PartResult | undefined> {
    if (this.#folder === undefined) return undefined;
    const text = await readFile(join(this.#folder, `${part}.json`), 'utf8').catch(() => undefined);
    if (text === undefined) return undefined;
    const { commit, seed, minutes, findings } = storedFile.parse(JSON.parse(text));
    return commit === this.#of.commit && seed === this.#of.seed ? { minutes, findings } : undefined;
  }

  async write(part: string, result: PartResult): Promise<void> {
    if (this.#folder === undefined) return;
    await mkdir(this.#folder, { recursive: true });
    await writeFile(join(this.#folder, `${part}.json`), JSON.stringify({ ...this.#of, ...result }));
  }
}
