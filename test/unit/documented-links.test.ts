import { existsSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readDocuments } from '../support/shell-blocks.ts';

const folder = fileURLToPath(new URL('../..', import.meta.url));
const withoutCode = (text: string) => text.replaceAll(/^ *```[\s\S]*?^ *```/gm, '');

/** GitHub's anchors of the headings. */
function anchorsOf(markdown: string): Set<string> {
  return new Set(
    [...withoutCode(markdown).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

test.each(readDocuments().map(({ path, text }): [string, string] => [path, text]))(
  '%s links only to files and headings that exist',
  (path, text) => {
    const broken = [...withoutCode(text).matchAll(/(?:\]\(|src=")(?!https?:|mailto:)([^)"\s]+)/g)]
      .map(([, link = '']) => link)
      .filter((link) => {
        const [file = '', anchor] = link.split('#');
        const target = file === '' ? path : posix.join(posix.dirname(path), file);
        if (!existsSync(`${folder}/${target}`)) return true;
        return anchor !== undefined && !anchorsOf(readFileSync(`${folder}/${target}`, 'utf8')).has(anchor);
      });
    expect(broken).toEqual([]);
  },
);
