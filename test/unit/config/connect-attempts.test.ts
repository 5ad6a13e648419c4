import {
  getDefaultAutoSelectFamilyAttemptTimeout as attemptMs,
  setDefaultAutoSelectFamilyAttemptTimeout as setAttemptMs,
} from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { extendConnectAttempts } from '../../../src/config/connect-attempts.ts';

const before = attemptMs();
afterEach(() => setAttemptMs(before));

test('an address has time for a retransmission before the next one is tried', () => {
  setAttemptMs(250);
  extendConnectAttempts();
  expect(attemptMs()).toBeGreaterThan(1_000);
});

test('a time set for the process stays', () => {
  setAttemptMs(700);
  extendConnectAttempts();
  expect(attemptMs()).toBe(700);
});
