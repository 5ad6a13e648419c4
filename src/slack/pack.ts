import type { KnownBlock } from '@slack/types';
import { mrkdwn } from './mrkdwn.ts';
import { maxBlocks, maxBlocksJson, maxSectionText } from './limits.ts';

/** A line that is never split, and the items it shows. */
export interface Line<Item> {
  /** Escaped mrkdwn, on one line. */
  text: string;
  items: readonly Item[];
}

export interface Group<Item> {
  /** Escaped mrkdwn; repeated when the group continues in another section. */
  title: string;
  lines: readonly Line<Item>[];
}

interface Page<Item> {
  blocks: KnownBlock[];
  items: Item[];
}

const continued = ' _(continued)_';

export function section(text: string): KnownBlock {
  return { type: 'section', expand: true, text: mrkdwn(text) };
}

export function context(...texts: string[]): KnownBlock {
  return { type: 'context', elements: texts.map(mrkdwn) };
}

/**
 * Lays out groups on as few pages as Slack's limits allow: one section per group, more if it exceeds the section limit. Lines
 * are never cut; a line must fit into a section.
 * @param reserved other blocks on the first page, and on each later page
 */
export function packGroups<Item>(
  groups: readonly Group<Item>[],
  reserved: { first: readonly KnownBlock[]; later: readonly KnownBlock[] },
): Page<Item>[] {
  const pages: Page<Item>[] = [];
  let page: Page<Item> = { blocks: [], items: [] };
  let room = roomBeside(reserved.first);
  const startPage = () => {
    pages.push(page);
    page = { blocks: [], items: [] };
    room = roomBeside(reserved.later);
  };
  for (const { title, lines } of groups) {
    let text = title;
    let items: Item[] = [];
    const closeSection = () => {
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
        if (hasLine) closeSection();
        if (!fitsPage) startPage();
        text = `${text}\n${line.text}`;
      } else text = longer;
      items.push(...line.items);
      hasLine = true;
    }
    if (hasLine) closeSection();
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

/** Includes the separating comma. */
function jsonLength(block: KnownBlock): number {
  return JSON.stringify(block).length + 1;
}
