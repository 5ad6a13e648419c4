import { expect, test } from 'vitest';
import { socketAddress } from '../../../src/worker/http.ts';

test.each([
  ['127.0.0.1', '127.0.0.1:9464'],
  ['localhost', 'localhost:9464'],
  ['::', '[::]:9464'],
  ['::1', '[::1]:9464'],
])('the port of %s is separated from its host', (host, address) => {
  expect(socketAddress(host, 9464)).toBe(address);
});
