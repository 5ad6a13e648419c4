import { expect, test } from 'vitest';
import { allowlistInput } from '../../../src/cli/input/allowlist-options.ts';

const defaults = {
  direction: 'egress',
  format: 'kubernetes',
  minimumDays: '7',
  externals: true,
  identities: true,
};

test.each([
  [[], { minimumDays: '2' }, /^--minimum-days 2 is below 7/],
  [[], { order: 'first', format: 'calico' }, /--order is not a number/],
  [[], { dnsAddress: ['10.96.0.10', 'x'] }, /^--dns-address "x" is not an IP address/],
  [['immich', 'bad_name'], {}, /^"bad_name" is not a namespace name/],
  [
    ['Bad'],
    { minimumDays: '2' },
    /^Several options are wrong:\n  - "Bad" is not a namespace name; use .*\n  - --minimum-days 2 is below 7/,
  ],
])('a problem with %j %j names the option or value', (namespaces, options, message) => {
  expect(() => allowlistInput(namespaces, { ...defaults, ...options }, new Date())).toThrow(message);
});
