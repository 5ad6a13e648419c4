import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../..', import.meta.url));

interface ShellBlock {
  /** File and line, for example `docs/digest.md:56`. */
  place: string;
  /** Whether the first line is a comment `# Example: ...`, which states what the block needs. */
  isExample: boolean;
  /** The commands, without comments and prompts, each on one line. In a console block only lines with a prompt are commands. */
  commands: string[];
}

/** All Markdown files of the project. */
export function readDocuments(): { path: string; text: string }[] {
  const inFolder = (name: string, recursive = true) =>
    readdirSync(`${folder}/${name}`, { recursive, encoding: 'utf8' }).map((path) => `${name}/${path}`);
  return [...inFolder('.', false), ...inFolder('docs'), ...inFolder('deploy')]
    .filter((path) => path.endsWith('.md'))
    .map((path) => path.replace('./', ''))
    .toSorted()
    .map((path) => ({ path, text: readFileSync(`${folder}/${path}`, 'utf8') }));
}

/** The fenced blocks of a language, including indented ones. */
export function blocksOf(path: string, text: string, language: string): { place: string; body: string }[] {
  return [...text.matchAll(new RegExp(`^( *)\`\`\`${language}\\n([\\s\\S]*?)^ *\`\`\`$`, 'gm'))].map(
    (found) => ({
      place: `${path}:${text.slice(0, found.index).split('\n').length}`,
      body: (found[2] ?? '').replaceAll(new RegExp(`^${found[1]}`, 'gm'), ''),
    }),
  );
}

/** The shell blocks of a document, in order. */
export function shellBlocksOf({ path, text }: { path: string; text: string }): ShellBlock[] {
  return ['sh', 'console'].flatMap((language) =>
    blocksOf(path, text, language).map(({ place, body }) => ({
      place,
      isExample: /^# Example: \S/.test(body),
      commands: body
        .replaceAll('\\\n', ' ')
        .split('\n')
        .filter((line) => language === 'sh' || line.startsWith('$ '))
        .map((line) =>
          line
            .replace(/^\$ /, '')
            .replace(/(^|\s+)#\s.*$/, '')
            .trim(),
        )
        .filter((line) => line !== ''),
    })),
  );
}
