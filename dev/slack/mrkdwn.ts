/** Emoji used in our messages. */
const emoji: Record<string, string> = {
  bell: '🔔',
  hourglass_flowing_sand: '⏳',
  information_source: 'ℹ️',
  large_green_circle: '🟢',
  large_yellow_circle: '🟡',
  no_entry: '⛔',
  red_circle: '🔴',
  rotating_light: '🚨',
  warning: '⚠️',
  white_check_mark: '✅',
};

export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** Plain text of a block: only emoji are drawn. */
export function plainHtml(text: string): string {
  return escapeHtml(unescapeSlack(text)).replaceAll(
    /:([a-z_]+):/g,
    (whole, name: string) => emoji[name] ?? whole,
  );
}

/**
 * Renders Slack's mrkdwn as HTML. Mentions are rendered as in Slack, so that an unescaped name is visible.
 * Source: Slack, "Formatting text for app surfaces".
 */
export function mrkdwnHtml(text: string): string {
  // Splits into code spans, parts in angle brackets, and the text in between.
  const html = text.replaceAll(
    /`([^`\n]+)`|<([^<>\n]+)>|[^`<]+|[`<]/g,
    (whole, code?: string, angled?: string) => {
      if (code !== undefined) return `<code>${escapeHtml(unescapeSlack(code))}</code>`;
      if (angled !== undefined) return angledHtml(angled);
      return emphasised(plainHtml(whole)).replaceAll('\n', '<br>');
    },
  );
  // An unpaired asterisk stays an asterisk; it must not make the rest of the page bold.
  const isPaired = html.split('<b>').length === html.split('</b>').length;
  return isPaired ? html : html.replaceAll(/<\/?b>/g, '*');
}

function angledHtml(inside: string): string {
  const [target = '', label = target] = inside.split('|', 2);
  if (/^[!@#]/.test(target)) return `<span class="mention">${escapeHtml(unescapeSlack(label))}</span>`;
  const url = unescapeSlack(target);
  if (!/^(https?|mailto):/.test(url)) return escapeHtml(`<${inside}>`);
  return `<a href="${escapeHtml(url)}" rel="noreferrer">${escapeHtml(unescapeSlack(label))}</a>`;
}

/** Bold around a code span starts in one part and ends in another, so each asterisk is handled separately. */
function emphasised(html: string): string {
  return html
    .replaceAll(/(^|[\s(])\*(?=\S|$)/g, '$1<b>')
    .replaceAll(/\*(?=$|[\s.,:;)!?])/g, '</b>')
    .replaceAll(/(^|[\s(])_([^_\n]+)_(?=$|[\s.,:;)!?])/g, '$1<i>$2</i>');
}

function unescapeSlack(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}
