import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../../../src/activities/index.ts';

const { postDigest } = proxyActivities<Activities>({ startToCloseTimeout: '5m' });

/** Broken on purpose: posts a digest that was not prepared. */
export async function dailyDigest(): Promise<void> {
  await postDigest({ digestId: 'digest/now' });
}
