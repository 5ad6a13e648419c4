import { z } from 'zod';

/**
 * Source: Slack, "Block Kit" reference: blocks, composition objects. Accepts only the kinds that the project uses.
 */
const text = (max: number) =>
  z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('plain_text'),
      text: z.string().min(1).max(max),
      emoji: z.boolean().optional(),
    }),
    z.strictObject({
      type: z.literal('mrkdwn'),
      text: z.string().min(1).max(max),
      verbatim: z.boolean().optional(),
    }),
  ]);
const plainText = (max: number) =>
  z.strictObject({
    type: z.literal('plain_text'),
    text: z.string().min(1).max(max),
    emoji: z.boolean().optional(),
  });
const blockId = z.string().max(255).optional();

const section = z
  .strictObject({
    type: z.literal('section'),
    block_id: blockId,
    text: text(3_000).optional(),
    fields: z.array(text(2_000)).min(1).max(10).optional(),
    expand: z.boolean().optional(),
  })
  .refine((block) => block.text !== undefined || block.fields !== undefined);

const block = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('header'), block_id: blockId, text: plainText(150) }),
  section,
  z.strictObject({ type: z.literal('divider'), block_id: blockId }),
  z.strictObject({
    type: z.literal('context'),
    block_id: blockId,
    elements: z.array(text(3_000)).min(1).max(10),
  }),
]);
export type TakenBlock = z.output<typeof block>;
export type TakenText = z.output<ReturnType<typeof text>>;

export interface TakenMessage {
  channel: string;
  text: string;
  blocks: TakenBlock[];
}

const payload = z.object({
  channel: z.string().optional(),
  text: z.string().max(40_000).optional(),
  blocks: z.array(z.unknown()).optional(),
});
const blocks = z.array(block).max(50);
/** All blocks of a message together; measured, because Slack does not document it. */
const maxBlocksJson = 13_000;

/** @returns the message, or the error code with which Slack rejects it (400) */
export function readPayload(body: string): TakenMessage | 'invalid_payload' | 'invalid_blocks' | 'no_text' {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return 'invalid_payload';
  }
  const parsed = payload.safeParse(json);
  if (!parsed.success) return 'invalid_payload';
  const { channel = '#alerts', text: plain = '', blocks: given = [] } = parsed.data;
  if (plain === '' && given.length === 0) return 'no_text';
  const taken = blocks.safeParse(given);
  if (!taken.success || JSON.stringify(given).length > maxBlocksJson) return 'invalid_blocks';
  return { channel, text: plain, blocks: taken.data };
}
