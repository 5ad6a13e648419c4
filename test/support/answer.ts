import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { z } from 'zod';
import type { OutputName } from '../../src/cli/schemas/index.ts';

/** Parses a command's JSON with the schema docs/schemas/NAME.json. */
export function parseAnswer(name: OutputName, json: string): unknown {
  const answer: unknown = JSON.parse(json);
  const file = new URL(`../../docs/schemas/${name}.json`, import.meta.url);
  const documented: z.core.JSONSchema.JSONSchema = JSON.parse(readFileSync(file, 'utf8'));
  expect(z.fromJSONSchema(documented).safeParse(answer).error?.issues, name).toBeUndefined();
  return answer;
}
