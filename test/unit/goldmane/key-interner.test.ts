import { expect, test } from 'vitest';
import { FlowScan } from '../../../src/goldmane/decoder/flow-scan.ts';
import { KeyInterner } from '../../../src/goldmane/decoder/key-interner.ts';
import { flowResult, KEY } from './records.ts';

test('a kept key retains neither the message nor the pool that messages come from', () => {
  const scan = new FlowScan();
  const interner = new KeyInterner(scan, 1_000_000);
  const raw = flowResult(KEY);
  scan.scanFlow(raw, 0, raw.length);
  const { bytes } = interner.intern();
  expect(bytes.length).toBe(scan.key.end - scan.key.start);
  expect(bytes.buffer.byteLength).toBe(bytes.length);
});
