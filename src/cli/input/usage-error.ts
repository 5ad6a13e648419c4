import { Failure } from '../../failure/failure.ts';

/** An unusable option or argument; the message names it and says what to use instead. */
export function usageFailure(option: string, problem: string): Failure<'command'> {
  return oneProblem(`${option} ${problem}`);
}

/** Several unusable options or arguments, one line each; a single one as by `usageFailure`. */
export function usageFailures(problems: readonly string[]): Failure<'command'> {
  const [first = '', ...others] = problems;
  if (others.length === 0) return oneProblem(first);
  const what = `several options are wrong:${problems.map((problem) => `\n  - ${problem}`).join('')}\n`;
  return new Failure({ system: 'command', kind: 'usage', what, cure: '', retryable: false });
}

function oneProblem(text: string): Failure<'command'> {
  const [what = '', ...cure] = text.split('; ');
  return new Failure({ system: 'command', kind: 'usage', what, cure: cure.join('; '), retryable: false });
}
