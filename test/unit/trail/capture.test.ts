import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FlowDecoder } from '../../../src/goldmane/decoder/decode.ts';
import { StreamFold, streamBatch } from '../../../src/trail/fold/fold-stream.ts';
import type { BucketBatch } from '../../../src/trail/record.ts';
import { edgeText } from '../../../src/trail/edge-key.ts';
import { readCapture, readCaptureEdges } from '../../support/capture.ts';
import { captureByBucket, foldListed } from '../../support/captured-buckets.ts';
import { TrailModel } from '../../support/trail-model.ts';

const capture = readCapture();
const expected = readCaptureEdges();
const byBucket = captureByBucket();

/** Folds one connection's records like the stream reader, taken in several batches. */
function streamed(records: readonly Buffer[], takes = 1): BucketBatch[][] {
  const decoder = new FlowDecoder();
  const fold = new StreamFold();
  const size = Math.ceil(records.length / takes);
  const batches: BucketBatch[][] = [];
  for (let at = 0; at < records.length; at += size) {
    for (const raw of records.slice(at, at + size)) fold.add(decoder.decode(raw), 4_000_000_000);
    batches.push(fold.take().map((bucket) => streamBatch(bucket, false)));
  }
  return batches;
}

function listed(startSeconds: number, records: readonly Buffer[]): BucketBatch {
  return { startSeconds, records: foldListed(records, startSeconds).records, settled: 'settled' };
}

function listedAll(): BucketBatch[] {
  return [...byBucket].map(([start, records]) => listed(start, records));
}

describe('the capture of a real server', () => {
  test('folds to exactly the expected rows when streamed', () => {
    const model = new TrailModel();
    for (const batches of streamed(capture)) model.merge(batches);
    expect(model.edges()).toEqual(expected);
  });

  test('folds to exactly the expected rows when listed', () => {
    const model = new TrailModel();
    model.merge(listedAll());
    expect(model.edges()).toEqual(expected);
  });

  test('once settled, each edge counts the sum of its facts', () => {
    const model = new TrailModel();
    for (const batches of streamed(capture.slice(0, 9_000))) model.merge(batches);
    model.merge(listedAll());
    expect(model.edges()).toEqual(expected);
    const sums = model.factSums();
    for (const { src_ns, dst_ns, action, flow_count } of model.edges())
      expect(sums.get(`${src_ns}\n${dst_ns}\n${action}`)).toBe(flow_count);
    expect(sums.size).toBe(expected.length);
  });

  test('folds to the same rows in any order, split into any overlapping connections, and repeated', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.array(fc.tuple(fc.nat(capture.length), fc.nat(capture.length)), { maxLength: 4 }),
        fc.integer({ min: 1, max: 7 }),
        (seed, overlaps, takes) => {
          const model = new TrailModel();
          for (const batches of streamed(shuffled(capture, seed), takes)) model.merge(batches);
          for (const [a, b] of overlaps)
            for (const batches of streamed(capture.slice(Math.min(a, b), Math.max(a, b))))
              model.merge(batches);
          expect(model.edges()).toEqual(expected);
        },
      ),
      { numRuns: 12 },
    );
  });
});

const names = fc.constantFrom('a', 'b', 'c', '');
const ends = fc.record({
  kind: fc.constant('workload' as const),
  ns: names,
  identity: fc.constantFrom('', 'x'),
});
const record = fc
  .record({
    n: fc.integer({ min: 1, max: 12 }),
    src: ends,
    dst: ends,
    port: fc.constantFrom(53, 80),
    action: fc.constantFrom('allow' as const, 'deny' as const),
    digest: fc.bigInt({ min: 1n, max: 2n }),
  })
  // A record's identity determines what it counts for; only its trace may differ between deliveries.
  .map(({ n, src, dst, port, action, digest }) => {
    const pick = <Value>(a: Value, b: Value, bit: number) => ((n >> bit) & 1 ? a : b);
    void [src, dst, port, action];
    const fact = {
      src: { kind: 'workload' as const, ns: pick('a', 'b', 0), identity: '' },
      dst: { kind: 'workload' as const, ns: pick('c', pick('a', '', 2), 1), identity: '' },
      protocol: 'tcp',
      port: pick(53, 80, 3),
      reporter: 'src' as const,
      action: pick('allow' as const, 'deny' as const, 2),
    };
    const isEdge = fact.dst.ns !== '' && fact.src.ns !== fact.dst.ns;
    const edge = { srcNs: fact.src.ns, dstNs: fact.dst.ns, action: fact.action };
    return {
      key: { content: `${n}` },
      fact,
      trace: { digest, text: `${digest}` },
      ...(isEdge ? { edge } : {}),
    };
  });
const batch = fc
  .record({
    start: fc.constantFrom(1_800_000_000, 1_800_000_015),
    records: fc.array(record, { maxLength: 6 }),
    list: fc.boolean(),
  })
  .map(({ start, records, list }): BucketBatch => {
    const once = [...new Map(records.map((entry) => [entry.key.content, entry])).values()];
    return list
      ? { startSeconds: start, records: once }
      : {
          startSeconds: start,
          records: once.flatMap(({ key, edge }) => (edge ? [{ key, edge }] : [])),
        };
  });

/** The state without the assignment of a record to one of two traces, which depends on the order of arrival. */
function state(model: TrailModel) {
  const counts = new Map<string, number>();
  for (const { text, flow_count } of model.facts()) {
    const fact = text.split('\n').slice(0, -1).join('\n');
    counts.set(fact, (counts.get(fact) ?? 0) + flow_count);
  }
  const traces = model
    .facts()
    .map(({ text, first_seen, last_seen, hours }) => ({ text, first_seen, last_seen, hours }));
  return { edges: model.edges(), ledger: model.ledgerRows(), counts, traces };
}

function merged(...groups: readonly (readonly BucketBatch[])[]) {
  const model = new TrailModel();
  for (const group of groups) model.merge(group);
  return state(model);
}

describe('merging', () => {
  const batches = fc.array(batch, { maxLength: 5 });

  test('is idempotent', () => {
    fc.assert(
      fc.property(batches, (a) => {
        expect(merged(a, a)).toEqual(merged(a));
      }),
    );
  });

  test('is commutative', () => {
    fc.assert(
      fc.property(batches, batches, (a, b) => {
        expect(merged(a, b)).toEqual(merged(b, a));
      }),
    );
  });

  test('is associative: the grouping of merges does not matter', () => {
    fc.assert(
      fc.property(batches, batches, batches, (a, b, c) => {
        expect(merged([...a, ...b], c)).toEqual(merged(a, [...b, ...c]));
      }),
    );
  });

  test('counts no records of buckets that an earlier aggregator counted, but merges their times', () => {
    const model = new TrailModel(1_800_000_015);
    const edge = { srcNs: 'a', dstNs: 'b', action: 'allow' } as const;
    model.merge([
      { startSeconds: 1_800_000_000, records: [{ key: { content: '1' }, edge }] },
      { startSeconds: 1_800_000_015, records: [{ key: { content: '1' }, edge }] },
    ]);
    expect(model.edges()).toEqual([
      {
        src_ns: 'a',
        dst_ns: 'b',
        action: 'allow',
        first_seen: 1_800_000_000,
        last_seen: 1_800_000_030,
        flow_count: 1,
      },
    ]);
    expect(edgeText(edge)).toBe('a\nb\nallow');
  });
});

function shuffled(records: readonly Buffer[], seed: number): Buffer[] {
  const copy = [...records];
  let state = seed >>> 0;
  for (let at = copy.length - 1; at > 0; at -= 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const other = state % (at + 1);
    const [a, b] = [copy[at], copy[other]];
    if (a && b) [copy[at], copy[other]] = [b, a];
  }
  return copy;
}
