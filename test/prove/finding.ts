import type { TestContext } from 'vitest';
import { z } from 'zod';

export const findingSchema = z.object({
  claim: z.string(),
  result: z.string(),
  verdict: z.enum(['holds', 'fails', 'measured', 'skipped']),
});

/** A line of the proof. `holds` and `fails`: a claim; `measured`: only a number; `skipped`: `result` is the reason. */
export type Finding = z.infer<typeof findingSchema>;

declare module 'vitest' {
  interface TaskMeta {
    /** The lines that `npm run prove` prints for a passed test. */
    findings?: Finding[];
  }
}

/** Adds a line to the proof. */
export function addFinding({ task }: Pick<TestContext, 'task'>, finding: Finding): void {
  (task.meta.findings ??= []).push(finding);
}

/** The claim in the test's name holds. */
export function claimHolds(context: Pick<TestContext, 'task'>, result: string): void {
  addFinding(context, { claim: context.task.name, result, verdict: 'holds' });
}
