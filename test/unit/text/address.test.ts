import { expect, test } from 'vitest';
import { parseAddress } from '../../../src/text/address.ts';

test.each([
  ['goldmane.calico-system.svc:7443', { host: 'goldmane.calico-system.svc', port: 7443 }],
  ['10.0.0.1:7443', { host: '10.0.0.1', port: 7443 }],
  ['[fd00::1]:7443', { host: 'fd00::1', port: 7443 }],
  ['my_goldmane:7443', { host: 'my_goldmane', port: 7443 }],
  ['goldmane.example.:7443', { host: 'goldmane.example.', port: 7443 }],
  ['münchen.example:7443', { host: 'münchen.example', port: 7443 }],
])('%s is a valid address', (text, address) => {
  expect(parseAddress(text)).toEqual(address);
});

test.each([
  'goldmane',
  'goldmane:',
  ':7443',
  'goldmane:0',
  'goldmane:65536',
  'fd00::1:7443',
  'https://goldmane:7443',
  'a b:1',
  'a/b:1',
  'user@host:1',
  '-a:1',
])('%s is not a valid address', (text) => {
  expect(parseAddress(text)).toBeUndefined();
});
