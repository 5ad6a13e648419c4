import { Failure, isFailureOf } from '../failure/failure.ts';

/** All wrong settings at once, one line each: the variable, what is wrong and what to set. */
export type ConfigFailure = Failure<'settings'> & { readonly problems: readonly string[] };

export function configFailure(problems: readonly string[]): ConfigFailure {
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

export function isConfigFailure(error: unknown): error is ConfigFailure {
  return isFailureOf('settings', error);
}
