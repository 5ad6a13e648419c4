/** The code of an error of Node (`ENOENT`) or OpenSSL; `otherwise` if it has none. */
export function errorCode(error: unknown, otherwise: string): string {
  return error instanceof Error && 'code' in error ? String(error.code) : otherwise;
}
