import { errorCode } from '../failure/thrown.ts';
import { access, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { secretUrlProblem, type SecretUrl } from './secret-url.ts';

/** `problem` states which file is wrong and why, never its content. */
type SecretUrlReading = { url: string | undefined } | { problem: string; cure: string };

/**
 * Reads a secret URL. An empty file means no URL, and so does a missing file in an existing folder: an optional Secret
 * that does not exist is mounted as an empty folder.
 * @param name the setting, for `problem`
 */
export async function readSecretUrl(source: SecretUrl | undefined, name: string): Promise<SecretUrlReading> {
  if (!source) return { url: undefined };
  if ('url' in source) return { url: source.url };
  const { urlFile } = source;
  let url: string;
  try {
    url = (await readFile(urlFile, 'utf8')).trim();
  } catch (error) {
    const code = errorCode(error, 'unreadable');
    if (code === 'ENOENT' && (await exists(dirname(urlFile)))) return { url: undefined };
    return {
      problem: `${name}_FILE ${urlFile} cannot be read (${code})`,
      cure: 'mount the Secret, or correct the path',
    };
  }
  if (url === '') return { url: undefined };
  const problem = secretUrlProblem(url);
  return problem === undefined
    ? { url }
    : { problem: `the content of ${name}_FILE ${urlFile} ${problem}`, cure: 'correct the Secret' };
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
