/**
 * What one message may hold. The first three are Slack's ("Block Kit", reference of blocks); the last keeps a message under
 * the 13,000 characters of blocks that an incoming webhook was seen to take.
 */
export const maxBlocks = 50;
export const maxSectionText = 3_000;
export const maxHeaderText = 150;
/** Of the blocks as JSON. */
export const maxBlocksJson = 12_500;
