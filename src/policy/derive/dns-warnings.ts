import { isAllowedToday } from './left-out.ts';
import type { AllowRule, LeftOut } from './model.ts';

const dnsPort = 53;

const onlyToPods =
  'allows DNS only to pods. Pods usually query a service address (for example 10.96.0.10), and Calico can drop such queries under this policy: set that address with --dns-address or DNS_ADDRESSES';

const toNobody =
  'denies all DNS: pods send it to addresses, such as that of a node-local cache, which are not stored. Set these addresses with --dns-address or DNS_ADDRESSES';

/** What the warnings can be, for a summary of many policies. */
export const allDnsWarnings: readonly string[] = [onlyToPods, toNobody];

/**
 * The warning about a policy under which DNS may fail although it works today: the address that pods query is missing.
 * @param rules with those of the baseline
 */
export function dnsWarnings(rules: readonly AllowRule[], leftOut: readonly LeftOut[]): string[] {
  const dns = rules.filter(
    ({ direction, ports }) => direction === 'egress' && ports.some(({ port }) => port === dnsPort),
  );
  if (dns.some(({ peer: { kind } }) => kind === 'address' || kind === 'networkset')) return [];
  if (dns.length > 0) return [onlyToPods];
  const isDenied = leftOut.some(
    (entry) => entry.direction === 'egress' && entry.port === dnsPort && isAllowedToday(entry),
  );
  return isDenied ? [toNobody] : [];
}
