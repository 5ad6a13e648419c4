import { createHash } from 'node:crypto';
import { escapeHtml, mrkdwnHtml, plainHtml } from './mrkdwn.ts';
import type { TakenBlock, TakenMessage, TakenText } from './rules.ts';

export interface ShownMessage extends TakenMessage {
  at: Date;
}

const style = `
  body { margin: 0; font: 15px/1.47 Lato, "Segoe UI", "Noto Sans", sans-serif; color: #1d1c1d; background: #fff; }
  body { display: flex; flex-direction: column; height: 100vh; }
  main { flex: 1; min-height: 0; overflow-y: auto; display: flex; flex-direction: column-reverse; }
  header { padding: 12px 20px; border-bottom: 1px solid #ddd; font-weight: 900; }
  header small { font-weight: 400; color: #616061; margin-left: 8px; }
  .messages { padding: 8px 20px 24px; }
  article { display: flex; gap: 8px; padding: 8px 0; max-width: 760px; }
  .icon { flex: none; width: 36px; height: 36px; border-radius: 4px; background: #4a154b; color: #fff; font-weight: 900;
    display: grid; place-items: center; }
  .by { font-weight: 900; }
  .app { font-size: 10px; font-weight: 700; background: #ddd; color: #616061; border-radius: 2px; padding: 1px 3px; margin: 0 4px; }
  time { font-size: 12px; color: #616061; }
  .body { min-width: 0; overflow-wrap: anywhere; }
  .block { margin: 6px 0; }
  h2 { font-size: 18px; line-height: 1.33; font-weight: 900; margin: 8px 0; }
  hr { border: 0; border-top: 1px solid #ddd; margin: 12px 0; }
  .context { font-size: 13px; color: #616061; display: flex; flex-wrap: wrap; gap: 4px 12px; }
  code { font: 12px/1.5 Menlo, Consolas, "DejaVu Sans Mono", monospace; color: #c01343; background: #f8f8f8;
    border: 1px solid #ddd; border-radius: 3px; padding: 1px 3px; }
  b code { font-weight: 700; }
  a { color: #1264a3; text-decoration: none; }
  .mention { background: #fef4d4; color: #1264a3; border-radius: 3px; padding: 0 2px; }
  .none { color: #616061; padding: 24px 0; }
`;
const styleHash = createHash('sha256').update(style).digest('base64');

/** Allows only this page and its style: no scripts, nothing from other hosts. */
export const contentSecurityPolicy = `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** The received messages as Slack would render them, newest at the bottom; refreshes every few seconds. */
export function messagesPage(messages: readonly ShownMessage[], channel: string): string {
  const shown = messages.map(messageHtml).join('');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="5">
<meta name="viewport" content="width=device-width"><title>${escapeHtml(channel)}</title><style>${style}</style></head>
<body><header>${escapeHtml(channel)}<small>a stand-in for Slack: no message leaves this machine</small></header>
<main><div class="messages">${shown || '<p class="none">No message yet.</p>'}</div></main></body></html>
`;
}

function messageHtml({ at, text, blocks }: ShownMessage): string {
  const time = `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const body =
    blocks.length > 0 ? blocks.map(blockHtml).join('') : `<div class="block">${mrkdwnHtml(text)}</div>`;
  return `<article><div class="icon">ft</div><div class="body"><span class="by">flow-trail</span><span class="app">APP</span><time>${time}</time>${body}</div></article>`;
}

function blockHtml(block: TakenBlock): string {
  switch (block.type) {
    case 'header':
      return `<h2>${plainHtml(block.text.text)}</h2>`;
    case 'divider':
      return '<hr>';
    case 'context':
      return `<div class="block context">${block.elements.map((element) => `<span>${textHtml(element)}</span>`).join('')}</div>`;
    case 'section': {
      const texts = [...(block.text ? [block.text] : []), ...(block.fields ?? [])];
      return texts.map((text) => `<div class="block">${textHtml(text)}</div>`).join('');
    }
  }
}

function textHtml(text: TakenText): string {
  return text.type === 'mrkdwn' ? mrkdwnHtml(text.text) : plainHtml(text.text);
}
