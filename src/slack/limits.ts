/**
 * Limits of one message. The first three are Slack's (Block Kit reference, blocks). The last keeps a message below the 13,000
 * characters of block JSON that an incoming webhook was measured to accept.
 */
export const maxBlocks = 50;
export const maxSectionText = 3_000;
export const maxHeaderText = 150;
/** Characters of the blocks as JSON. */
export const maxBlocksJson = 12_500;
