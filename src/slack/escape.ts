/**
 * Escapes text from the cluster for Slack's mrkdwn, so that it cannot form a link, mention or entity.
 * Source: Slack, "Formatting text for app surfaces", escaping text.
 */
export function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Escapes and shortens text to at most `limit` characters, ending in an ellipsis; never cuts an entity. */
export function escapeToFit(text: string, limit: number): string {
  const escapedText = escapeText(text);
  if (escapedText.length <= limit) return escapedText;
  let fitted = '';
  for (const character of text) {
    const escaped = escapeText(character);
    if (fitted.length + escaped.length + 1 > limit) break;
    fitted += escaped;
  }
  return `${fitted}…`;
}

/** Shortens text that is already escaped to at most `limit` characters; never cuts an entity or a surrogate pair. */
export function cutEscaped(escapedText: string, limit: number): string {
  let cut = '';
  for (const [part] of escapedText.matchAll(/&(?:amp|lt|gt);|./gsu)) {
    if (cut.length + part.length > limit) break;
    cut += part;
  }
  return cut;
}
