// A connection to several addresses fails with an AggregateError: its first error is reported.

/** The error code of Node (`ENOENT`), OpenSSL or Postgres; `otherwise` if the value has none. */
export function errorCode(error: unknown): string | undefined;
export function errorCode<Otherwise>(error: unknown, otherwise: Otherwise): string | Otherwise;
export function errorCode(error: unknown, otherwise?: unknown): unknown {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return error instanceof AggregateError ? errorCode(error.errors[0], otherwise) : otherwise;
}

/** The message of any thrown value. */
export function errorText(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return errorText(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}

/** The first line of its message; the lines after it are often details for programmers. */
export function errorLine(error: unknown): string {
  return errorText(error).split('\n', 1)[0] ?? '';
}
