import { Document, isMap, isScalar, isSeq } from 'yaml';

/** A value with comment lines before it and, for a non-empty list or map, after its last entry. */
export class Commented {
  readonly value: YamlValue;
  readonly comments: readonly string[];
  readonly after: readonly string[];

  constructor(value: YamlValue, comments: readonly string[], after: readonly string[] = []) {
    this.value = value;
    this.comments = comments;
    this.after = after;
  }
}

export type YamlValue =
  | string
  | number
  | Commented
  | readonly YamlValue[]
  | { readonly [key: string]: YamlValue | undefined };

/** Formats one YAML document. Undefined fields are omitted; the same value gives the same bytes. */
export function yamlDocument(value: YamlValue, header: readonly string[], footer: readonly string[]): string {
  const document = new Document(plain(value), { version: '1.2', compat: 'yaml-1.1' });
  annotate(document.contents, value);
  const text = document.toString({ lineWidth: 0, defaultStringType: 'PLAIN', indentSeq: true });
  return [...header.map(asComment), text.trimEnd(), ...footer.map(asComment), ''].join('\n');
}

/** One comment line. Names come from the cluster; a line break in one would end the comment. */
function asComment(line: string): string {
  // oxlint-disable-next-line no-control-regex
  return `# ${line.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, ' ')}`.trimEnd();
}

/** Comment text for the library, which adds the "#" and the indentation. */
function commentText(lines: readonly string[]): string {
  return lines.map((line) => asComment(line).slice(1)).join('\n');
}

function plain(value: YamlValue): unknown {
  if (value instanceof Commented) return plain(value.value);
  if (isList(value)) return value.map(plain);
  if (typeof value === 'object')
    return Object.fromEntries(
      Object.entries(value).flatMap(([key, entry]) => (entry === undefined ? [] : [[key, plain(entry)]])),
    );
  return value;
}

function annotate(node: unknown, value: YamlValue): void {
  if (value instanceof Commented) {
    if (value.comments.length > 0 && (isMap(node) || isSeq(node) || isScalar(node)))
      node.commentBefore = commentText(value.comments);
    if (value.after.length > 0 && (isMap(node) || isSeq(node))) node.comment = commentText(value.after);
    annotate(node, value.value);
  } else if (isList(value)) {
    if (isSeq(node)) for (const [at, entry] of value.entries()) annotate(node.items[at], entry);
  } else if (typeof value === 'object' && isMap(node)) {
    for (const [key, entry] of Object.entries(value))
      if (entry !== undefined) annotate(node.get(key, true), entry);
  }
}

function isList(value: YamlValue): value is readonly YamlValue[] {
  return Array.isArray(value);
}
