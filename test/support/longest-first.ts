import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files that take longest. They start first, because the last one to start determines the length of the run. */
const LONGEST = [
  'integration/export.test.ts',
  'integration/export-receiver.test.ts',
  'integration/dev/npm-start.test.ts',
  'integration/coverage-clock.test.ts',
  'integration/coverage-settling.test.ts',
  'faults/self-healing.test.ts',
  'faults/export.test.ts',
  'faults/upgrade.test.ts',
  'deploy/alerts.test.ts',
  'integration/incomplete.test.ts',
  'faults/two-trails.test.ts',
  'faults/equality-process.test.ts',
  'faults/message-settings.test.ts',
  'integration/digest.test.ts',
  'web/map.test.ts',
  'faults/message-goldmane.test.ts',
  'faults/crash-loop.test.ts',
  'faults/gap-worker-away.test.ts',
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
