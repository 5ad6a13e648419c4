import { isNamespaceName } from '../../text/kubernetes-names.ts';
import { usageFailure } from './usage-error.ts';

/** @throws UsageFailure */
export function parseLimit(option: string, text: string): number {
  return parseWhole(option, text, '20');
}

/** @throws UsageFailure */
export function parseDays(option: string, text: string): number {
  return parseWhole(option, text, '7');
}

function parseWhole(option: string, text: string, example: string): number {
  const whole = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(whole) || whole < 1)
    throw usageFailure(option, `"${text}" is not a positive whole number; use, for example, ${example}`);
  return whole;
}

/** @throws UsageFailure */
export function parseNamespace(option: string, text: string): string {
  if (!isNamespaceName(text))
    throw usageFailure(
      option,
      `"${text}" is not a namespace name; use lower-case letters, digits and "-", at most 63 characters`,
    );
  return text;
}

interface PortFilter {
  /** Lower case, for example `tcp`; undefined for all protocols. */
  protocol: string | undefined;
  /** -1 for "many": beyond the number of distinct ports stored per pair. */
  port: number;
}

/** Reads `5432`, `udp/53` or `many`. @throws UsageFailure */
export function parsePort(option: string, text: string): PortFilter {
  const [, protocol, digits = ''] = /^(?:(tcp|udp|sctp|icmp|icmp6)\/)?(\d{1,5}|many)$/.exec(text) ?? [];
  const port = digits === 'many' ? -1 : Number(digits);
  if (digits === '' || port > 65_535)
    throw usageFailure(option, `"${text}" is not a port; use, for example, 5432, udp/53 or many`);
  return { protocol, port };
}
