import { z } from 'zod';
import { isHost } from '../text/address.ts';

/** A text that is not empty. */
export const text = (fallback: string) =>
  z.string().trim().min(1, { error: 'is empty; set a value or unset it', abort: true }).default(fallback);

/** A whole number in plain digits; the empty string and `0x10` are rejected. */
export const wholeNumber = (
  min: number,
  max: number,
  problem = `must be a whole number from ${min} to ${max}`,
) =>
  z
    .string()
    .trim()
    .regex(/^[0-9]+$/, problem)
    .transform(Number)
    .refine((value) => value >= min && value <= max, problem);

/** An address on which a server listens; `*`: all IPv4 and IPv6 addresses. */
export const listenHost = (fallback: string) =>
  text(fallback).refine(
    (value) => value === '*' || isHost(value),
    'must be an IP address without brackets, a host name, or *',
  );

/** A port, or 0 for any free one. */
export const port = (fallback: number) =>
  wholeNumber(0, 65_535, 'must be a port from 0 to 65535').default(fallback);

/** A switch: `1` or `true` is on; `0`, `false`, empty or unset is off. */
export const flag = z
  .enum(['0', '1', 'true', 'false', ''], 'must be 0 or 1')
  .default('')
  .transform((value) => value === '1' || value === 'true');

/** The parts of a comma-separated list, without spaces and empty parts. */
export function commaSeparated(list: string): string[] {
  return list
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
