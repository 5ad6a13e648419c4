import { printableLines } from '../text/printable.ts';
import { Failure, isFailureOf } from '../failure/failure.ts';

/** All wrong settings at once, one line each: the variable, what is wrong and what to set. */
export type ConfigFailure = Failure<'settings'> & { readonly problems: readonly string[] };

/** A value can be a whole file by mistake; the end of the message says what to set. */
const problemLength = 600;

export function configFailure(found: readonly string[]): ConfigFailure {
  const problems = found.map((problem) => shortened(printableLines(problem)));
  const lines = problems.map((problem) => `  - ${problem}`).join('\n');
  const failure = new Failure({
    system: 'settings',
    kind: 'invalid',
    what: `invalid settings:\n${lines}\n`,
    cure: '',
    retryable: false,
  });
  return Object.assign(failure, { problems });
}

function shortened(problem: string): string {
  if (problem.length <= problemLength) return problem;
  const half = problemLength / 2;
  return `${problem.slice(0, half)}…${problem.slice(-half)}`;
}

export function isConfigFailure(error: unknown): error is ConfigFailure {
  return isFailureOf('settings', error);
}
