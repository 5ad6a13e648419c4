import type { KnownBlock } from '@slack/types';
import { maxBlocks, maxBlocksJson, maxSectionText } from './limits.ts';

/** A line that stays whole, and what it stands for. */
export interface Line<Item> {
  /** Escaped mrkdwn, on one line. */
  text: string;
  items: readonly Item[];
}

export interface Group<Item> {
  /** Escaped mrkdwn; repeated where the group goes on in another section. */
  title: string;
  lines: readonly Line<Item>[];
}

export interface Page<Item> {
  blocks: KnownBlock[];
  items: Item[];
}

const continued = ' _(continued)_';

export function section(text: string): KnownBlock {
  return { type: 'section', expand: true, text: { type: 'mrkdwn', text, verbatim: true } };
}

export function context(...texts: string[]): KnownBlock {
  return { type: 'context', elements: texts.map((text) => ({ type: 'mrkdwn', text, verbatim: true })) };
}

/**
 * Lays groups out over as few pages as Slack's limits allow: a section per group, more where it is longer than a section may
 * be. No line is cut; none may be longer than a section.
 * @param reserved what else stands on the first page, and on each page after it
 */
export function packGroups<Item>(
  groups: readonly Group<Item>[],
  reserved: { first: readonly KnownBlock[]; later: readonly KnownBlock[] },
): Page<Item>[] {
  const pages: Page<Item>[] = [];
  let page: Page<Item> = { blocks: [], items: [] };
  let room = roomBeside(reserved.first);
  const turn = () => {
    pages.push(page);
    page = { blocks: [], items: [] };
    room = roomBeside(reserved.later);
  };
  for (const { title, lines } of groups) {
    let text = title;
    let items: Item[] = [];
    const close = () => {
      const block = section(text);
      page.blocks.push(block);
      page.items.push(...items);
      room = { blocks: room.blocks - 1, json: room.json - jsonLength(block) };
      text = `${title}${continued}`;
      items = [];
    };
    let hasLine = false;
    for (const line of lines) {
      const longer = `${text}\n${line.text}`;
      const fitsPage = room.blocks > 0 && jsonLength(section(longer)) <= room.json;
      if (longer.length > maxSectionText || !fitsPage) {
        if (hasLine) close();
        if (!fitsPage) turn();
        text = `${text}\n${line.text}`;
      } else text = longer;
      items.push(...line.items);
      hasLine = true;
    }
    if (hasLine) close();
  }
  if (page.blocks.length > 0) pages.push(page);
  return pages;
}

function roomBeside(blocks: readonly KnownBlock[]): { blocks: number; json: number } {
  return {
    blocks: maxBlocks - blocks.length,
    json: maxBlocksJson - blocks.reduce((sum, block) => sum + jsonLength(block), 0),
  };
}

/** With the comma after it. */
function jsonLength(block: KnownBlock): number {
  return JSON.stringify(block).length + 1;
}
