import { describe, expect, it } from 'vitest';
import { PingPolicy } from '../../../dev/goldmane/ping-policy.ts';

const MINUTE_MS = 60_000;

/** The number (from 1) of the ping that violates the policy; 0 if none of twenty does. */
function fatalPing(intervalMs: number, { callsOpen = true, writing = false } = {}): number {
  const policy = new PingPolicy();
  for (let ping = 1; ping <= 20; ping++) {
    if (writing) policy.wrote();
    if (policy.tooMany(ping * intervalMs, callsOpen)) return ping;
  }
  return 0;
}

describe('The ping policy', () => {
  it('allows a ping every five minutes with a call open: the third early ping is too many', () => {
    expect(fatalPing(4 * MINUTE_MS)).toBe(4);
    expect(fatalPing(5 * MINUTE_MS)).toBe(0);
  });

  it('allows a ping every two hours without an open call', () => {
    expect(fatalPing(5 * MINUTE_MS, { callsOpen: false })).toBe(4);
    expect(fatalPing(120 * MINUTE_MS, { callsOpen: false })).toBe(0);
  });

  it('allows any number of pings while messages are sent in between', () => {
    expect(fatalPing(1, { writing: true })).toBe(0);
  });
});
