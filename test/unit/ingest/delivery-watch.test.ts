import { beforeEach, describe, expect, test } from 'vitest';
import { DeliveryWatch } from '../../../src/ingest/delivery-watch.ts';

/** The start of a bucket, which is sent 30 s later. */
const bucket = 1_800_000_000;
let watch: DeliveryWatch;
beforeEach(() => {
  watch = new DeliveryWatch();
});

describe('a bucket counts as completely streamed', () => {
  test('after the next bucket could have been sent and a later record arrived', () => {
    watch.opened(bucket + 20);
    watch.saw(bucket);
    expect(watch.takeWhole(bucket + 45)).toEqual([]);
    watch.saw(bucket + 15);
    expect(watch.takeWhole(bucket + 44.9)).toEqual([]);
    expect(watch.takeWhole(bucket + 45)).toEqual([bucket]);
    expect(watch.takeWhole(bucket + 45)).toEqual([]);
  });

  test('even if it is empty', () => {
    watch.opened(bucket + 20);
    watch.saw(bucket + 45);
    expect(watch.takeWhole(bucket + 75)).toEqual([bucket, bucket + 15, bucket + 30]);
  });

  test('after two minutes of silence', () => {
    watch.opened(bucket + 20);
    expect(watch.takeWhole(bucket + 119)).toEqual([]);
    expect(watch.takeWhole(bucket + 120)).toEqual([bucket]);
    expect(watch.takeWhole(bucket + 150)).toEqual([bucket + 15, bucket + 30]);
  });
});

describe('a bucket does not count as completely streamed', () => {
  test.each([
    [28, bucket],
    [29, bucket],
    [29.1, bucket + 15],
    [30, bucket + 15],
    [44, bucket + 15],
  ])('if the stream opened %d s after its start, unless it is the bucket of %d or later', (age, first) => {
    watch.opened(bucket + age);
    watch.saw(bucket + 600);
    expect(watch.takeWhole(bucket + 660)[0]).toBe(first);
  });

  test('if it began before a stream that replaced a broken one, because a restarted Goldmane may have only a part of it', () => {
    watch.opened(bucket + 10, true);
    watch.saw(bucket);
    watch.saw(bucket + 30);
    expect(watch.takeWhole(bucket + 60)).toEqual([bucket + 15]);
  });

  test('if the stream closed before the next bucket was sent', () => {
    watch.opened(bucket + 20);
    watch.saw(bucket + 15);
    watch.closed();
    expect(watch.takeWhole(bucket + 600)).toEqual([]);
  });

  test('if it was sent between two streams', () => {
    watch.opened(bucket + 20);
    watch.saw(bucket + 15);
    watch.takeWhole(bucket + 45);
    watch.closed();
    watch.opened(bucket + 65);
    watch.saw(bucket + 60);
    expect(watch.takeWhole(bucket + 90)).toEqual([bucket + 45]);
  });

  test('if the clock was set far ahead, because the skipped time was not observed', () => {
    watch.opened(bucket + 20);
    watch.saw(bucket + 15);
    const later = bucket + 10 * 365 * 86_400;
    expect(watch.takeWhole(later)).toEqual([]);
    watch.saw(later + 15);
    expect(watch.takeWhole(later + 45)).toEqual([later - 15, later]);
  });
});

describe('while Goldmane’s clock is unknown', () => {
  test('buckets after the first received one count, because that one may have been sent in part', () => {
    watch.opened(undefined);
    expect(watch.takeWhole(bucket + 6_000)).toEqual([]);
    watch.saw(bucket);
    watch.saw(bucket + 30);
    expect(watch.takeWhole(bucket + 60)).toEqual([bucket + 15]);
  });

  test('after a broken stream, buckets that certainly began later count', () => {
    watch.opened(undefined, true);
    watch.saw(bucket);
    watch.saw(bucket + 60);
    expect(watch.takeWhole(bucket + 90)).toEqual([bucket + 45]);
  });
});
