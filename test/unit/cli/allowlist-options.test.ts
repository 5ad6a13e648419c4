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
  [[], { minimumDays: '2' }, /--minimum-days is below 7/],
  [[], { order: 'first', format: 'calico' }, /--order is not a number/],
  [[], { dnsAddress: ['10.96.0.10', 'x'] }, /--dns-address "x" is not an IP address/],
  [['immich', 'bad_name'], {}, /"bad_name" is not a namespace name/],
])('a problem with %j %j names the option or value', (namespaces, options, message) => {
  expect(() => allowlistInput(namespaces, { ...defaults, ...options }, new Date())).toThrow(message);
});
