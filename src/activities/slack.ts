import { markAlertTold, recordAlert } from '../trail/alerts.ts';
import { withClusterTitle } from '../slack/cluster-title.ts';
import { isSlackFailure } from '../slack/failure.ts';
import type { SlackMessage } from '../slack/message.ts';
import { postMessage, type PostResult } from '../slack/post.ts';
import { toActivityFailure } from '../temporal/activity-failure.ts';
import type { Deps } from '../ingest/deps.ts';

/** Posts, or prints to the log in a dry run. @throws ApplicationFailure of type `slack_<kind>`, final or to be retried */
export async function postSlack({ config, log, metrics }: Deps, message: SlackMessage): Promise<PostResult> {
  const titled = withClusterTitle(message, config.clusterName);
  try {
    const result = await postMessage(config.jobs.slack, titled, (printed, why) => {
      log.info({ channel: config.jobs.slack.channel, slackMessage: printed }, `not posted, because ${why}`);
    });
    metrics.slackMessage(result);
    return result;
  } catch (error) {
    if (!isSlackFailure(error)) throw error;
    metrics.slackMessage(error.kind);
    throw toActivityFailure(error);
  }
}

export interface Alert {
  /** What is watched, for example `certificates`. */
  alert: string;
  /** A word of the check's own; `good` is the state in which nobody has to do anything. */
  state: string;
  detail: string;
  message: SlackMessage;
}

/**
 * Tells people of a change of state, once: not again while the state stays, and again when it is good. A first state
 * that is good is no news. At least once: a worker that dies between posting and writing that down tells again.
 */
export async function tellAlert(
  deps: Deps,
  { alert, state, detail, message }: Alert,
): Promise<PostResult | 'known'> {
  const { database, config } = deps;
  const nowSeconds = () => config.clock.now() / 1000;
  try {
    const { toldState } = await recordAlert(database.query, alert, { state, detail }, nowSeconds());
    if (state === toldState || (state === 'good' && toldState === undefined)) return 'known';
    const result = await postSlack(deps, message);
    await markAlertTold(database.query, alert, state, nowSeconds());
    return result;
  } catch (error) {
    throw toActivityFailure(error);
  }
}
