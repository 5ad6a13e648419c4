import { FlowDecoder } from '../../src/goldmane/decoder/decode.ts';
import { groupBy } from '../../src/text/order.ts';
import { foldList, type ListedBucket } from '../../src/trail/fold/fold-list.ts';
import { StreamFold, streamBatch } from '../../src/trail/fold/fold-stream.ts';
import type { BucketBatch } from '../../src/trail/record.ts';
import { encodeListAnswer, readCapture } from './capture.ts';
import { runToEnd } from './run-to-end.ts';

/** The namespaces of the capture that contain several services. */
export const captureIdentities: ReadonlySet<string> = new Set(['monitoring', 'kube-system', 'dbaas']);

/** The records of the capture by the start of their bucket, epoch seconds. */
export function captureByBucket(): Map<number, [Buffer, ...Buffer[]]> {
  const decoder = new FlowDecoder();
  return groupBy(readCapture(), (raw) => decoder.decode(raw).startSeconds);
}

/** Folds records of one bucket as if `List` had returned them. */
export function foldListed(
  records: readonly Buffer[],
  startSeconds: number,
  namespaces: 'all' | ReadonlySet<string> = 'all',
): ListedBucket {
  const settings = { label: 'service-identity', namespaces };
  return runToEnd(foldList(new FlowDecoder(), encodeListAnswer(records), startSeconds, settings));
}

/** Folds records as if one stream had delivered them, open throughout. @param nowSeconds epoch seconds */
export function foldStreamed(records: readonly Buffer[], nowSeconds: number): BucketBatch[] {
  const decoder = new FlowDecoder();
  const fold = new StreamFold();
  for (const raw of records) fold.add(decoder.decode(raw), nowSeconds);
  return fold.take().map((bucket) => streamBatch(bucket, true));
}
