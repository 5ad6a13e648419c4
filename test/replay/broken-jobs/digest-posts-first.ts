import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../../../src/activities/index.ts';

const { postDigest } = proxyActivities<Activities>({ startToCloseTimeout: '5m' });

/** Broken on purpose: it posts what nobody froze. */
export async function dailyDigest(): Promise<void> {
  await postDigest({ digestId: 'digest/now' });
}
