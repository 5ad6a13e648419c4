import { z } from 'zod';
import { copyProblem } from './secret-format.ts';

/** A URL that contains a secret, or the file that contains the URL. The file is read at each use. */
export type SecretUrl = { url: string } | { urlFile: string };

/** The two settings of one secret URL, `NAME` and `NAME_FILE`. */
export const secretUrlField = z.string().trim().optional();

export function secretUrlOf(url: string | undefined, urlFile: string | undefined): SecretUrl | undefined {
  if (url) return { url };
  return urlFile ? { urlFile } : undefined;
}

/** Why a URL cannot be called, without repeating it: it must be https, or http on this machine. */
export function secretUrlProblem(value: string): string | undefined {
  const copied = copyProblem(value, (text) => /^https?:\/\//.test(text));
  if (copied !== undefined) return `${copied} (the value is secret and not shown)`;
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const isLocal = url !== undefined && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
  if (url?.protocol !== 'https:' && !(isLocal && url.protocol === 'http:'))
    return 'is not an https:// address (the value is secret and not shown)';
  // fetch rejects such an address and puts it into its error message.
  return url.username === '' && url.password === ''
    ? undefined
    : 'contains a user name or a password, which cannot be sent (the value is secret and not shown)';
}

/** What is wrong with `NAME` and `NAME_FILE`, without their values. */
export function secretUrlProblems(env: NodeJS.ProcessEnv, name: string, cure: string): string[] {
  const url = env[name]?.trim();
  const problem = url ? secretUrlProblem(url) : undefined;
  return [
    ...(url && env[`${name}_FILE`]?.trim()
      ? [`${name}_FILE and ${name} are both set; keep one of them`]
      : []),
    ...(problem === undefined ? [] : [`${name} ${problem}; ${cure}`]),
  ];
}
