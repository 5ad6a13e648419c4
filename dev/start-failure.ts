/**
 * A part of the stack that could not be started or found. The message says what failed and why, `cure` what a
 * person can do about it; both are printed.
 */
export class StartFailure extends Error {
  override readonly name = 'StartFailure';
  readonly cure: string;

  constructor(message: string, cure: string, options?: ErrorOptions) {
    super(message, options);
    this.cure = cure;
  }
}

/** The words of an error that came from anywhere. */
export function describeError(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return describeError(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of a system error (ENOENT, EADDRINUSE ...), if it has one. */
export function errorCode(error: unknown): string | undefined {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return undefined;
}
