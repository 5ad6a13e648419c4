import type { KnownBlock } from '@slack/types';
import { cutEscaped } from './escape.ts';
import { maxHeaderText } from './limits.ts';
import type { SlackMessage } from './message.ts';

/**
 * Prefixes the header (or, in a message without a header, the context block) and the notification text with the cluster
 * name. Returns the message unchanged if the name is empty.
 */
export function withClusterTitle(message: SlackMessage, clusterName: string): SlackMessage {
  if (clusterName === '') return message;
  const prefix = `[${clusterName}] `;
  const [first, ...rest] = message.blocks;
  return {
    text: prefix + message.text,
    blocks: first === undefined ? [] : [prefixed(first, prefix), ...rest],
  };
}

function prefixed(block: KnownBlock, prefix: string): KnownBlock {
  switch (block.type) {
    case 'header':
      return {
        ...block,
        text: { ...block.text, text: cutEscaped(prefix + block.text.text, maxHeaderText) },
      };
    case 'context': {
      const [first, ...rest] = block.elements;
      return first?.type === 'mrkdwn'
        ? { ...block, elements: [{ ...first, text: prefix + first.text }, ...rest] }
        : block;
    }
    default:
      return block;
  }
}
