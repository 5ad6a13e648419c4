import { proxyActivities } from '@temporalio/workflow';
import type { DigestResult } from '../activities/digest.ts';
import type { Activities } from '../activities/index.ts';
import { jobFailure } from './job-failure.ts';
import { nominalId } from './job.ts';

const retry = { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '60s' } as const;
/** Together less than the schedule gives a run: then it ends with the words of its last failure. */
const { prepareDigest } = proxyActivities<Activities>({
  startToCloseTimeout: '2m',
  scheduleToCloseTimeout: '30m',
  retry,
});
const { postDigest } = proxyActivities<Activities>({
  startToCloseTimeout: '5m',
  scheduleToCloseTimeout: '80m',
  heartbeatTimeout: '60s',
  retry,
});

/**
 * Announces in Slack every edge that was not announced yet; quiet when there is none. Run again for the same nominal time
 * it is the same digest, and says nothing twice. Fails with what Slack or the database said last, and the cure.
 */
export async function dailyDigest(): Promise<DigestResult> {
  const digestId = nominalId('digest');
  try {
    const prepared = await prepareDigest({ digestId });
    const { outcome } = prepared;
    return outcome === 'frozen' ? await postDigest({ digestId }) : { ...prepared, outcome };
  } catch (error) {
    throw jobFailure('The digest was not posted', error);
  }
}
