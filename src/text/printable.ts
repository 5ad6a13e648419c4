/** Control, format (bidirectional overrides, zero width), line and paragraph separators, and lone surrogates. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
const unprintableButNewline = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * Untrusted text as one line that is safe to print on a terminal: characters that move the cursor, change colours,
 * reorder the line or are invisible become escapes such as `\u{1b}`.
 */
export function printable(text: string): string {
  return text.replace(unprintable, escaped);
}

/** The same for multi-line text: newlines stay. */
export function printableLines(text: string): string {
  return text.replace(unprintableButNewline, escaped);
}

/** JSON, indented unless `indent` is 0, without characters that a terminal interprets: they become `\uXXXX`. */
export function printableJson(value: unknown, indent = 2): string {
  return JSON.stringify(value, null, indent).replace(unprintableButNewline, (character) =>
    Array.from(
      { length: character.length },
      (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
    ).join(''),
  );
}

function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
