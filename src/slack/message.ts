import type { KnownBlock } from '@slack/types';

/** One message of an incoming webhook: Block Kit, and the plain text that notifications show. */
export interface SlackMessage {
  text: string;
  blocks: KnownBlock[];
}
