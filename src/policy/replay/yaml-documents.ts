import { parseAllDocuments, type Document, type ErrorCode, type ScalarTag } from 'yaml';
import { z } from 'zod';

export interface ManifestFile {
  readonly path: string;
  readonly text: string;
}

/** An object of a file, and its place: `policies/immich.yaml, document 2`. */
export interface PlacedDocument {
  readonly path: string;
  readonly place: string;
  readonly value: Record<string, unknown>;
}

const object = z.record(z.string(), z.unknown());

/** kubectl reads YAML 1.1, in which these words are booleans. */
const yaml11Boolean: ScalarTag = {
  tag: 'tag:yaml.org,2002:bool',
  default: true,
  test: /^(?:y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF)$/,
  resolve: (text) => /^(?:y|on)/i.test(text),
};

/** What became of the documents of a file that are not objects. */
interface DocumentSink {
  readonly complain: (problem: string) => void;
  readonly skip: (what: string) => void;
  /** Whether the file is one of several, and not one that a person named. */
  readonly isFolder: boolean;
}

/** Reads the documents of a file as kubectl does; empty documents are left out. */
export function documentsOf({ path, text }: ManifestFile, sink: DocumentSink): PlacedDocument[] {
  const documents = jsonValues(text).flatMap((part) =>
    parseAllDocuments(part, {
      merge: true,
      logLevel: 'error',
      customTags: (tags) => [yaml11Boolean, ...tags],
    }),
  );
  return documents.flatMap((document, at): PlacedDocument[] => {
    const place = documents.length > 1 ? `${path}, document ${at + 1}` : path;
    const content = contentOf(document);
    if ('problem' in content) {
      // A folder may contain templates and files of other programs.
      if (sink.isFolder && !mayBePolicy.test(text)) sink.skip('file that is not valid YAML');
      else sink.complain(`${place} is not valid YAML: ${content.problem}${templateHint(text)}`);
      return [];
    }
    if (content.value === null || content.value === undefined) return [];
    const value = object.safeParse(content.value);
    if (value.success) return [{ path, place, value: value.data }];
    if (Array.isArray(content.value) && mayBePolicy.test(text))
      sink.complain(
        `${place} is a list, not an object; put its entries under items of an object of kind List`,
      );
    else sink.skip('document that is not an object');
    return [];
  });
}

/** Strings and braces. In a truncated text, the last string has no end; requiring one would take quadratic time. */
const jsonTokens = /"(?:[^"\\]|\\.)*"?|[{}]/gs;

/** The objects of a text that consists of JSON objects, such as the output of `jq '.items[]'`; other texts whole. */
function jsonValues(text: string): string[] {
  if (!text.trimStart().startsWith('{')) return [text];
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (const { 0: token, index } of text.matchAll(jsonTokens)) {
    if (token === '{') depth += 1;
    else if (token === '}') depth -= 1;
    if (token !== '}' || depth !== 0) continue;
    parts.push(text.slice(start, index + 1));
    start = index + 1;
  }
  return text.slice(start).trim() === '' ? parts : [text];
}

/** Texts that name a kind which can be replayed, or one that cannot but decides about flows. */
const mayBePolicy = /NetworkPolicy|NetworkSet|projectcalico\.org/;

const fixes: Partial<Record<ErrorCode, string>> = {
  DUPLICATE_KEY: '; remove one of the two, or separate two objects with a line ---',
  TAB_AS_INDENT: '; use spaces',
};

function contentOf(document: Document): { value: unknown } | { problem: string } {
  const [error] = document.errors;
  if (error) {
    const [first = ''] = error.message.split('\n');
    return { problem: `${first.replace(/:$/, '')}${fixes[error.code] ?? ''}` };
  }
  try {
    return { value: document.toJS() };
  } catch (failure) {
    // The library limits the number of aliases and refuses those without an anchor.
    if (failure instanceof ReferenceError) return { problem: failure.message };
    throw failure;
  }
}

function isTemplate(text: string): boolean {
  return text.includes('{{');
}

/** A fix for a file that has to be rendered first; '' for others. */
function templateHint(text: string): string {
  if (isTemplate(text)) return '; it looks like a Helm template: use the output of helm template';
  return /\$\{\w+\}/.test(text) ? '; it contains variables: substitute them first' : '';
}
