/**
 * Slack's rules for messages of incoming webhooks, from its reference of Block Kit and escaping, independent of the code
 * under test.
 */
const entity = /&(?:amp|lt|gt);/g;

/** The problems of a message; empty if Slack accepts it. */
export function problemsOf(message: unknown): string[] {
  if (!isRecord(message)) return ['is no object'];
  const problems: string[] = [];
  const { text, blocks } = message;
  if (typeof text !== 'string' || text === '') problems.push('has no fallback text');
  else {
    if (text.length > 4_000) problems.push(`fallback text has ${text.length} characters, cut after 4000`);
    problems.push(...markupProblems(text).map((problem) => `fallback text ${problem}`));
  }
  if (!Array.isArray(blocks)) return [...problems, 'has no blocks'];
  if (blocks.length > 50) problems.push(`has ${blocks.length} blocks`);
  if (JSON.stringify(blocks).length > 13_000)
    problems.push(`has ${JSON.stringify(blocks).length} characters of blocks`);
  for (const [index, block] of blocks.entries())
    problems.push(...blockProblems(block).map((problem) => `block ${index} ${problem}`));
  return problems;
}

/** The text of every block, in order. */
export function textsOf(message: { blocks: readonly unknown[] }): string[] {
  return message.blocks.flatMap((block) =>
    textObjects(block).flatMap((object) =>
      isRecord(object) && typeof object['text'] === 'string' ? [object['text']] : [],
    ),
  );
}

function blockProblems(block: unknown): string[] {
  if (!isRecord(block)) return ['is no object'];
  switch (block['type']) {
    case 'divider':
      return [];
    case 'header':
      return textProblems(block['text'], { max: 150, types: ['plain_text'] });
    case 'section':
      return textProblems(block['text'], { max: 3_000, types: ['plain_text', 'mrkdwn'] });
    case 'context': {
      const elements = textObjects(block);
      const count = elements.length >= 1 && elements.length <= 10 ? [] : [`has ${elements.length} elements`];
      return [
        ...count,
        ...elements.flatMap((text) => textProblems(text, { max: 3_000, types: ['plain_text', 'mrkdwn'] })),
      ];
    }
    default:
      return [`has the unknown type ${String(block['type'])}`];
  }
}

function textObjects(block: unknown): unknown[] {
  if (!isRecord(block)) return [];
  if (Array.isArray(block['elements'])) return block['elements'];
  return block['text'] === undefined ? [] : [block['text']];
}

function textProblems(object: unknown, { max, types }: { max: number; types: string[] }): string[] {
  if (!isRecord(object) || typeof object['text'] !== 'string') return ['has no text'];
  const { type, text } = { type: String(object['type']), text: object['text'] };
  const problems = types.includes(type) ? [] : [`has text of type ${type}`];
  if (text.length < 1 || text.length > max) problems.push(`has ${text.length} characters, at most ${max}`);
  if (type === 'mrkdwn') problems.push(...markupProblems(text));
  return problems;
}

/** Raw `<`, `>` and `&` are Slack's control characters, allowed only in our own links. */
function markupProblems(text: string): string[] {
  const rest = text.replaceAll(/<https?:\/\/[^<>|\s]+\|[^<>|]+>/g, '');
  if (/[<>]/.test(rest)) return ['has a raw angle bracket'];
  if (rest.replaceAll(entity, '').includes('&')) return ['has an ampersand that is no entity, or a cut one'];
  return [];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
