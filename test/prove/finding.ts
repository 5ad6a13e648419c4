import type { TestContext } from 'vitest';
import { z } from 'zod';

export const findingSchema = z.object({
  claim: z.string(),
  seen: z.string(),
  verdict: z.enum(['kept', 'broken', 'measured', 'skipped']),
});

/** One line of the proof. `kept` and `broken` are of a claim; `measured` only informs; `skipped` says why in `seen`. */
export type Finding = z.infer<typeof findingSchema>;

declare module 'vitest' {
  interface TaskMeta {
    /** What `npm run prove` prints of a test besides its name and whether it passed. */
    findings?: Finding[];
  }
}

/** Adds a line to what the proof says of this test. */
export function found({ task }: Pick<TestContext, 'task'>, finding: Finding): void {
  (task.meta.findings ??= []).push(finding);
}
