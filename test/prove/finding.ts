import type { TestContext } from 'vitest';

/** One line of the proof. `kept` and `broken` are of a claim; `measured` only informs; `skipped` says why in `seen`. */
export interface Finding {
  claim: string;
  seen: string;
  verdict: 'kept' | 'broken' | 'measured' | 'skipped';
}

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
