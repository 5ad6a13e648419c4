import { FlowDecoder } from '../../src/goldmane/decoder/decode.ts';
import type { Database } from '../../src/trail/database.ts';
import { foldList } from '../../src/trail/fold-list.ts';
import { merge } from '../../src/trail/merge.ts';
import { options } from '../integration/ledger-batches.ts';
import { encodeListAnswer, readCapture } from './capture.ts';
import { runToEnd } from './run-to-end.ts';

/** Merges the capture of a real cluster (2026-11-22), with identities, ports and policy traces. */
export async function mergeCapture(database: Database): Promise<void> {
  const decoder = new FlowDecoder();
  const byBucket = new Map<number, Buffer[]>();
  for (const raw of readCapture()) {
    const { startSeconds } = decoder.decode(raw);
    byBucket.set(startSeconds, [...(byBucket.get(startSeconds) ?? []), raw]);
  }
  const settings = {
    label: 'service-identity',
    namespaces: new Set(['monitoring', 'kube-system', 'dbaas']),
  };
  await merge(
    database,
    [...byBucket].map(([startSeconds, raw]) => ({
      startSeconds,
      records: runToEnd(foldList(decoder, encodeListAnswer(raw), startSeconds, settings)).records,
      settled: 'final' as const,
    })),
    options,
  );
}
