import { proxyActivities } from '@temporalio/workflow';
import type { DigestResult } from '../activities/digest.ts';
import type { Activities } from '../activities/index.ts';
import { jobFailure } from './job-failure.ts';
import { nominalId } from './job.ts';

const retry = { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '60s' } as const;
/** The sum stays below the schedule's execution timeout, so that a failed run shows its activity's last error. */
const { prepareDigest } = proxyActivities<Activities>({
  summary: 'Store the messages',
  startToCloseTimeout: '2m',
  scheduleToCloseTimeout: '30m',
  retry,
});
const { postDigest } = proxyActivities<Activities>({
  summary: 'Post the message',
  startToCloseTimeout: '5m',
  scheduleToCloseTimeout: '80m',
  heartbeatTimeout: '60s',
  retry,
});

/**
 * Posts every edge to Slack that was not announced before; posts nothing if there is none. A second run with the same
 * nominal time repeats the same digest and posts nothing twice. Fails with the last error of Slack or the database,
 * and what to do.
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
