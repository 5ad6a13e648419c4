/** The error code of Node (`ENOENT`) or OpenSSL; `otherwise` if the error has none. */
export function errorCode(error: unknown, otherwise: string): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : otherwise;
}
