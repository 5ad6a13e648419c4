import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../../../src/activities/index.ts';
import { superviseTrail as real } from '../../../src/workflows/supervise-trail.ts';
import type { SupervisorInput } from '../../../src/workflows/status.ts';

const { settleBuckets } = proxyActivities<Activities>({ startToCloseTimeout: 60_000 });

/** Broken on purpose: schedules another activity first. */
export async function superviseTrail(input: SupervisorInput): Promise<void> {
  void settleBuckets({ windowMs: input.windowMs ?? 60_000 }).catch(() => undefined);
  await real(input);
}
