import { z } from 'zod';
import { isNamespaceName } from '../../text/kubernetes-names.ts';
import type { CommandOutput, OutputName } from '../schemas/index.ts';

/**
 * The result of a tool: the JSON of the equivalent command, and the notes that the command prints on standard error.
 */
interface Answered<Name extends OutputName = OutputName> {
  answer: CommandOutput<Name>;
  notes?: readonly string[];
}

export interface Tool {
  name: string;
  /** What the tool returns, and the equivalent command. */
  description: string;
  /** Names of docs/schemas. */
  schemas: readonly OutputName[];
  input: z.ZodObject;
  /** @throws Failure */
  call: (input: unknown) => Promise<Answered>;
}

/** A tool whose input has the type of its schema. */
export function tool<Shape extends z.ZodRawShape, Name extends OutputName>({
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
    'is not a namespace name; use lower-case letters, digits and "-", at most 63 characters',
  );

const timeHelp =
  'an age (90m, 24h, 7d), a time of day (03:00: its last occurrence), "yesterday 22:00", "mon 08:00", a date, a date and time, or ISO 8601';

export function pastTime(what: string) {
  return z.string().max(40).describe(`${what}: ${timeHelp}`);
}

export function limit(most: number) {
  return z
    .int()
    .min(1)
    .max(most)
    .default(Math.min(200, most))
    .describe('maximum number of rows, newest first');
}
