import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

/** In the thread pool of Node, so that the worker's event loop is not blocked. */
export const compress: (text: string) => Promise<Buffer> = promisify<string, Buffer>(gzip);

/** @param header the request's Accept-Encoding (RFC 9110, 12.5.3); gzip is refused by weight 0 or if it is not listed */
export function acceptsGzip(header: string | undefined): boolean {
  const weights = new Map(
    (header ?? '').split(',').map((part) => {
      const [coding = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
      const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
      return [coding, weight === undefined ? 1 : Number(weight)];
    }),
  );
  return (weights.get('gzip') ?? weights.get('*') ?? 0) > 0;
}
