import { sleep } from '@temporalio/workflow';
import { superviseTrail as real } from '../../../src/workflows/supervise-trail.ts';
import type { SupervisorInput } from '../../../src/workflows/status.ts';

/** Broken on purpose: a timer that no history knows. */
export async function superviseTrail(input: SupervisorInput): Promise<void> {
  await sleep(1_000);
  await real(input);
}
