import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/time/clock.ts';
import { BoundedChannel } from '../../../dev/goldmane/channel.ts';

describe('A bounded channel', () => {
  it('returns items in order of arrival, including those of waiting writers', async () => {
    const channel = new BoundedChannel<number>(3, systemClock);
    const writers: Promise<boolean>[] = [];
    for (let item = 0; item < 4_000; item++) writers.push(channel.push(item, 60_000));
    expect(channel.size).toBe(3);
    for (let item = 0; item < 4_000; item++) expect(channel.shift()).toBe(item);
    expect(channel.shift()).toBeUndefined();
    expect(await Promise.all(writers)).not.toContain(false);
  });

  it('rejects only a writer that times out while the channel is full', async () => {
    const channel = new BoundedChannel<string>(1, systemClock);
    expect(channel.tryPush('first')).toBe(true);
    const patient = channel.push('patient', 60_000);
    expect(await channel.push('hasty', 1)).toBe(false);
    expect([channel.shift(), channel.shift(), channel.shift()]).toEqual(['first', 'patient', undefined]);
    expect(await patient).toBe(true);
  });

  it('wakes its reader when an item arrives or the channel closes', async () => {
    const channel = new BoundedChannel<string>(1, systemClock);
    const readable = channel.readable();
    channel.tryPush('item');
    await readable;
    expect(channel.shift()).toBe('item');
    const closed = channel.readable();
    channel.close();
    await closed;
    expect(channel.tryPush('late')).toBe(false);
  });

  it('releases waiting writers when it closes', async () => {
    const channel = new BoundedChannel<string>(1, systemClock);
    channel.tryPush('first');
    const waiting = channel.push('second', 60_000);
    channel.close();
    expect(await waiting).toBe(false);
    expect(channel.size).toBe(0);
  });
});
