import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files that take longest. They start first, because the last one to start determines the length of the run. */
const LONGEST = [
  'integration/dev/npm-start.test.ts',
  'integration/server-run.test.ts',
  'integration/digest.test.ts',
  'integration/coverage-clock.test.ts',
  'faults/self-healing.test.ts',
  'faults/equality-database.test.ts',
  'faults/equality-process.test.ts',
  'faults/equality-temporal.test.ts',
  'faults/gap-worker-away.test.ts',
  'faults/gap-goldmane-restart.test.ts',
];

/** Starts the longest files first, the others in vitest's order (larger files first). */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const index = LONGEST.findIndex((file) => moduleId.endsWith(`/test/${file}`));
      return index === -1 ? LONGEST.length : index;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}
