import type { KnownBlock } from '@slack/types';

/** The payload of an incoming webhook: Block Kit blocks, and the text that notifications show. */
export interface SlackMessage {
  text: string;
  blocks: KnownBlock[];
}
