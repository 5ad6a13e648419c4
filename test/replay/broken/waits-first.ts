import { sleep } from '@temporalio/workflow';
import { superviseTrail as real } from '../../../src/workflows/supervise-trail.ts';
import type { SupervisorInput } from '../../../src/workflows/status.ts';

/** Broken on purpose: starts a timer that no history contains. */
export async function superviseTrail(input: SupervisorInput): Promise<void> {
  await sleep(1_000);
  await real(input);
}
