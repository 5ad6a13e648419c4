import { z } from 'zod';
import { isNamespaceName } from '../../text/namespace-name.ts';
import type { Answer, AnswerName } from '../schemas/index.ts';

/** What a tool found: the JSON of the command with the same question, and what the command says on standard error. */
export interface Answered<Name extends AnswerName = AnswerName> {
  answer: Answer<Name>;
  notes?: readonly string[];
}

export interface Tool {
  name: string;
  /** What it answers; the command with the same answer. */
  description: string;
  /** Names of docs/schemas. */
  schemas: readonly AnswerName[];
  input: z.ZodObject;
  /** @throws Failure */
  call: (input: unknown) => Promise<Answered>;
}

/** A tool whose question gets what its input schema accepts. */
export function tool<Shape extends z.ZodRawShape, Name extends AnswerName>({
  shape,
  ask,
  ...about
}: Omit<Tool, 'input' | 'call' | 'schemas'> & {
  schemas: readonly Name[];
  shape: Shape;
  ask: (input: z.output<z.ZodObject<Shape, z.core.$strict>>) => Promise<Answered<Name>>;
}): Tool {
  const input = z.strictObject(shape);
  return { ...about, input, call: async (given) => ask(input.parse(given)) };
}

export const namespace = z
  .string()
  .refine(
    isNamespaceName,
    'is not a namespace name; give lower-case letters, digits and "-", at most 63 characters',
  );

const timeHelp =
  'how long ago (90m, 24h, 7d), a time of day (03:00, the last one), a date, a date and time, or ISO 8601';

export function pastTime(what: string) {
  return z.string().max(40).describe(`${what}: ${timeHelp}`);
}

export function limit(most: number) {
  return z.int().min(1).max(most).default(Math.min(200, most)).describe('at most this many rows, the newest');
}
