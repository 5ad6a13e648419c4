import { describe, expect, it } from 'vitest';
import { PingPolicy } from '../../../dev/goldmane/ping-policy.ts';

const MINUTE_MS = 60_000;

/** Which ping of a series is one too many, from 1; 0 for none of twenty. */
function fatalPing(intervalMs: number, { callsOpen = true, writing = false } = {}): number {
  const policy = new PingPolicy();
  for (let ping = 1; ping <= 20; ping++) {
    if (writing) policy.wrote();
    if (policy.tooMany(ping * intervalMs, callsOpen)) return ping;
  }
  return 0;
}

describe('The ping policy', () => {
  it('is every five minutes with a call open: the third ping that comes sooner is too many', () => {
    expect(fatalPing(4 * MINUTE_MS)).toBe(4);
    expect(fatalPing(5 * MINUTE_MS)).toBe(0);
  });

  it('is every two hours with none open', () => {
    expect(fatalPing(5 * MINUTE_MS, { callsOpen: false })).toBe(4);
    expect(fatalPing(120 * MINUTE_MS, { callsOpen: false })).toBe(0);
  });

  it('is as often as one likes while messages are written in between', () => {
    expect(fatalPing(1, { writing: true })).toBe(0);
  });
});
