import { beforeEach, describe, expect, test } from 'vitest';
import { DeliveryWatch } from '../../../src/ingest/delivery.ts';

/** A bucket's start; it is sent 30 s later. */
const bucket = 1_800_000_000;
let watch: DeliveryWatch;
beforeEach(() => {
  watch = new DeliveryWatch();
});

describe('a bucket was streamed whole', () => {
  test('once the next one could have been sent and a later record came', () => {
    watch.opened(bucket + 20);
    watch.saw(bucket);
    expect(watch.takeWhole(bucket + 45)).toEqual([]);
    watch.saw(bucket + 15);
    expect(watch.takeWhole(bucket + 44.9)).toEqual([]);
    expect(watch.takeWhole(bucket + 45)).toEqual([bucket]);
    expect(watch.takeWhole(bucket + 45)).toEqual([]);
  });

  test('also when nothing was in it', () => {
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

describe('a bucket was not streamed whole', () => {
  test.each([
    [28, bucket],
    [29, bucket],
    [29.1, bucket + 15],
    [30, bucket + 15],
    [44, bucket + 15],
  ])('when the stream opened %d s after it began, unless it is the bucket of %d or later', (age, first) => {
    watch.opened(bucket + age);
    watch.saw(bucket + 600);
    expect(watch.takeWhole(bucket + 660)[0]).toBe(first);
  });

  test('when it began before a stream that follows a broken one: Goldmane may be another, and have only a part of it', () => {
    watch.opened(bucket + 10, true);
    watch.saw(bucket);
    watch.saw(bucket + 30);
    expect(watch.takeWhole(bucket + 60)).toEqual([bucket + 15]);
  });

  test('when the stream closed before the next one was sent', () => {
    watch.opened(bucket + 20);
    watch.saw(bucket + 15);
    watch.closed();
    expect(watch.takeWhole(bucket + 600)).toEqual([]);
  });

  test('when it was sent between two streams', () => {
    watch.opened(bucket + 20);
    watch.saw(bucket + 15);
    watch.takeWhole(bucket + 45);
    watch.closed();
    watch.opened(bucket + 65);
    watch.saw(bucket + 60);
    expect(watch.takeWhole(bucket + 90)).toEqual([bucket + 45]);
  });

  test('when the clock was set far ahead: the time between was not observed', () => {
    watch.opened(bucket + 20);
    watch.saw(bucket + 15);
    const later = bucket + 10 * 365 * 86_400;
    expect(watch.takeWhole(later)).toEqual([]);
    watch.saw(later + 15);
    expect(watch.takeWhole(later + 45)).toEqual([later - 15, later]);
  });
});

describe('while Goldmane’s clock is not known', () => {
  test('the buckets after the first that was seen are watched: that one may have been half sent', () => {
    watch.opened(undefined);
    expect(watch.takeWhole(bucket + 6_000)).toEqual([]);
    watch.saw(bucket);
    watch.saw(bucket + 30);
    expect(watch.takeWhole(bucket + 60)).toEqual([bucket + 15]);
  });

  test('after a stream that broke, those that surely began since are', () => {
    watch.opened(undefined, true);
    watch.saw(bucket);
    watch.saw(bucket + 60);
    expect(watch.takeWhole(bucket + 90)).toEqual([bucket + 45]);
  });
});
