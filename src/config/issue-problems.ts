import type { z } from 'zod';

/** One line for each wrong variable: its name, then what is wrong with it. */
export function issueProblems({ issues }: z.ZodError): string[] {
  return issues.map(({ path, message }) => `${path.join('.')} ${message}`);
}
