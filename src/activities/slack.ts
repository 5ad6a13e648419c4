import { isPosted, markAlertPosted, recordAlert } from '../trail/jobs/alerts.ts';
import { withClusterTitle } from '../slack/cluster-title.ts';
import { isSlackFailure } from '../slack/failure.ts';
import type { SlackMessage } from '../slack/message.ts';
import { postMessage, type PostResult } from '../slack/post.ts';
import { toActivityFailure } from '../temporal/activity-failure.ts';
import type { JobDeps } from './deps.ts';

/** Posts a message, or logs it in a dry run. @throws ApplicationFailure of type `slack_<kind>`, retryable or not by kind */
export async function postSlack(
  { config, log, jobMetrics }: JobDeps,
  message: SlackMessage,
): Promise<PostResult> {
  const titled = withClusterTitle(message, config.clusterName);
  try {
    const result = await postMessage(config.jobs.slack, titled, (printed, reason) => {
      log.info(
        { channel: config.jobs.slack.channel, slackMessage: printed, reason },
        'Slack message not posted',
      );
    });
    jobMetrics.slackMessage(result);
    return result;
  } catch (error) {
    if (!isSlackFailure(error)) throw error;
    jobMetrics.slackMessage(error.kind);
    throw toActivityFailure(error);
  }
}

interface Alert {
  /** The alert's name, for example `certificates`. */
  alert: string;
  /** The check's state; `good` needs no action. */
  state: string;
  detail: string;
  message: SlackMessage;
}

/**
 * Posts each change of state once, including the return to `good`. A first state of `good` is not posted. At least once: a
 * worker that stops between posting and recording the post causes a second post.
 */
export async function postAlert(
  deps: JobDeps,
  { alert, state, detail, message }: Alert,
): Promise<PostResult | 'unchanged'> {
  const { database, config } = deps;
  const nowSeconds = () => config.clock.now() / 1000;
  try {
    if (isPosted(await recordAlert(database.query, alert, { state, detail }, nowSeconds())))
      return 'unchanged';
    const result = await postSlack(deps, message);
    await markAlertPosted(database.query, alert, state, nowSeconds());
    return result;
  } catch (error) {
    throw toActivityFailure(error);
  }
}
