import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { FlowDecoder } from '../../../src/goldmane/decoder/decode.ts';
import { MAX_TRACE_BYTES, PolicyTraceReader } from '../../../src/goldmane/decoder/policy-trace.ts';
import { encodeListAnswer, readCapture } from '../../support/capture.ts';
import { policies } from './messages.ts';
import { referenceDecode } from './reference.ts';
import { bytesField, encodeFields, messageField, varintField, type Field } from './wire.ts';
import { runToEnd } from '../../support/run-to-end.ts';

const hit = z.object({
  k: z.string(),
  n: z.string().optional(),
  a: z.string().optional(),
  r: z.number().optional(),
});
const traceText = z.object({
  enforced: z.array(hit),
  pending: z.array(hit),
  cut: z.number().optional(),
  unreadable: z.boolean().optional(),
});

function read(fields: readonly Field[]) {
  const raw = encodeFields(fields);
  return new PolicyTraceReader(10_000).read(raw, 0, raw.length);
}

function rule(name: string, more: readonly Field[] = []): Field[] {
  return [varintField(1, 6), bytesField(2, 'shop'), bytesField(3, name), varintField(5, 1), ...more];
}

test('a trace contains kind, tier, namespace, name, action and rule of each hit', () => {
  const enforced = messageField(1, [
    varintField(1, 3),
    bytesField(2, 'headscale'),
    bytesField(3, 'wave1-egress'),
    bytesField(4, 'default'),
    varintField(5, 2),
    varintField(6, 4),
    varintField(7, 2),
  ]);
  const pending = messageField(2, [varintField(1, 9), bytesField(3, 'kns.headscale'), varintField(5, 3)]);
  expect(read([enforced, pending]).text).toBe(
    '{"enforced":[{"k":"StagedNetworkPolicy","t":"default","ns":"headscale","n":"wave1-egress","a":"deny","r":2}],' +
      '"pending":[{"k":"Profile","n":"kns.headscale","a":"pass","r":0}]}',
  );
});

test('the end of a tier names the policy that triggers it', () => {
  const trigger = messageField(8, [
    varintField(1, 1),
    bytesField(2, 'redis'),
    bytesField(3, 'ingress'),
    bytesField(4, 'platform'),
  ]);
  const end = messageField(1, [
    varintField(1, 10),
    bytesField(4, 'platform'),
    varintField(5, 2),
    varintField(7, -1),
    trigger,
  ]);
  expect(read([end]).text).toBe(
    '{"enforced":[{"k":"EndOfTier","t":"platform","a":"deny","r":-1,' +
      '"by":{"k":"CalicoNetworkPolicy","t":"platform","ns":"redis","n":"ingress"}}],"pending":[]}',
  );
});

test('unknown kinds are stored as numbers, unknown actions as unspecified', () => {
  expect(read([messageField(1, [varintField(1, 42), varintField(5, 42)])]).text).toBe(
    '{"enforced":[{"k":"42","a":"unspecified","r":0}],"pending":[]}',
  );
});

test('the order of hits does not matter', () => {
  fc.assert(
    fc.property(
      policies.chain((hits) =>
        fc.tuple(fc.constant(hits), fc.shuffledSubarray(hits, { minLength: hits.length })),
      ),
      ([hits, shuffled]) => {
        expect(read(shuffled)).toEqual(read(hits));
      },
    ),
  );
});

test('the order does not affect which hits are dropped', () => {
  const hits = Array.from({ length: 40 }, (_, index) =>
    messageField(1 + (index % 2), rule(`policy-${index}`)),
  );
  fc.assert(
    fc.property(fc.shuffledSubarray(hits, { minLength: hits.length }), (shuffled) => {
      expect(read(shuffled).text).toBe(read(hits).text);
    }),
    { numRuns: 20 },
  );
});

test('the hash is that of the text', () => {
  const { digest, text } = read([messageField(1, rule('allow-web'))]);
  expect(digest).toBe(createHash('sha256').update(text).digest().readBigUInt64BE(0));
});

test('a repeated hit counts once', () => {
  const once = messageField(1, rule('allow-web'));
  expect(read([once, once]).text).toBe(read([once]).text);
});

test('sixteen hits per side are kept, and the others are counted', () => {
  const hits = Array.from({ length: 20 }, (_, index) => messageField(1, rule(`p${index}`)));
  const parsed = traceText.parse(JSON.parse(read([...hits, messageField(2, rule('staged'))]).text));
  expect([parsed.enforced.length, parsed.pending.length, parsed.cut]).toEqual([16, 1, 4]);
});

test('the text does not exceed its size limit, for any names', () => {
  const long = (index: number) => `${index}-${'ü'.repeat(120)}`;
  const hits = Array.from({ length: 32 }, (_, index) => messageField(1 + (index % 2), rule(long(index))));
  const { text } = read(hits);
  const parsed = traceText.parse(JSON.parse(text));
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_TRACE_BYTES);
  expect(parsed.enforced.length).toBeGreaterThan(3);
  expect(parsed.cut).toBe(32 - parsed.enforced.length - parsed.pending.length);
});

test('a name that is too long is cut and marked', () => {
  const parsed = traceText.parse(JSON.parse(read([messageField(1, rule('n'.repeat(300)))]).text));
  expect(parsed.enforced[0]?.n).toBe(`${'n'.repeat(253)}…`);
});

test('characters that Postgres rejects in JSON are replaced', () => {
  const { text } = read([
    messageField(1, rule('a\0b')),
    messageField(2, [bytesField(3, Buffer.from([0xed, 0xa0, 0x80]))]),
  ]);
  expect(text).not.toMatch(/\\u/);
  expect(traceText.parse(JSON.parse(text)).enforced[0]?.n).toBe('a\ufffdb');
});

test.each<[string, Field[]]>([
  ['a hit that is not a message', [varintField(1, 5)]],
  ['a truncated hit', [bytesField(2, Buffer.from([0x1a, 0x09]))]],
  ['a kind with the wrong wire type', [messageField(1, [bytesField(1, 'x')])]],
])('%s makes the trace unreadable', (_what, fields) => {
  expect(traceText.parse(JSON.parse(read(fields).text)).unreadable).toBe(true);
});

test('equal bytes return the same object', () => {
  const reader = new PolicyTraceReader(10_000);
  const raw = encodeFields([messageField(1, rule('allow-web'))]);
  expect(reader.read(Buffer.from(raw), 0, raw.length)).toBe(reader.read(raw, 0, raw.length));
});

test('all traces of the capture have the hits that the generated decoder finds', () => {
  const capture = readCapture();
  const texts: string[] = [];
  runToEnd(
    new FlowDecoder().decodeList(
      encodeListAnswer(capture),
      ({ trace }) => texts.push(trace.text),
      (error) => {
        throw error;
      },
      Number.POSITIVE_INFINITY,
    ),
  );
  const names = (hits: readonly { name: string }[]) => [...new Set(hits.map(({ name }) => name))].toSorted();
  let endsOfTier = 0;
  for (const [index, raw] of capture.entries()) {
    if (index % 5 !== 0) continue;
    const parsed = traceText.parse(JSON.parse(texts[index] ?? ''));
    const expected = referenceDecode(raw).flow.Key.policies;
    const found = [parsed.enforced, parsed.pending].map((side) =>
      [...new Set(side.map(({ n }) => n ?? ''))].toSorted(),
    );
    expect(found).toEqual([names(expected?.enforcedPolicies ?? []), names(expected?.pendingPolicies ?? [])]);
    endsOfTier += parsed.enforced.filter(({ k }) => k === 'EndOfTier').length;
  }
  expect(endsOfTier).toBeGreaterThan(0);
});
