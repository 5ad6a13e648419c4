import { Failure } from '../../failure/failure.ts';

/** An unusable option or argument; the message names it and says what to use instead. */
export function usageFailure(option: string, problem: string): Failure<'command'> {
  const [what = '', ...cure] = `${option} ${problem}`.split('; ');
  return new Failure({ system: 'command', kind: 'usage', what, cure: cure.join('; '), retryable: false });
}
