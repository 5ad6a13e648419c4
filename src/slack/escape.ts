/**
 * Makes text from the cluster harmless in Slack's mrkdwn: it forms no link, mention or entity of its own.
 * Source: Slack, "Formatting text for app surfaces", escaping text.
 */
export function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Escaped and at most `limit` characters long: what is too long ends in an ellipsis, and no entity is cut. */
export function escapeToFit(text: string, limit: number): string {
  const whole = escapeText(text);
  if (whole.length <= limit) return whole;
  let fitted = '';
  for (const character of text) {
    const escaped = escapeText(character);
    if (fitted.length + escaped.length + 1 > limit) break;
    fitted += escaped;
  }
  return `${fitted}…`;
}
