import { usageFailure } from './usage-error.ts';

/**
 * The namespace that a command is about, given as an argument or as an option.
 * @throws UsageFailure if both are given
 */
export function namespaceOf(argument: string | undefined, option: string | undefined): string | undefined {
  if (argument !== undefined && option !== undefined)
    throw usageFailure(
      '--ns',
      `cannot be combined with the argument "${argument}", which is also a namespace; use one of them`,
    );
  return argument ?? option;
}
