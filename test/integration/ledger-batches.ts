import type { BucketBatch, FactEnd, RecordList, TrailRecord } from '../../src/trail/record.ts';

export const startSeconds = 1_800_000_000;
export const options = { portCap: 64, nowSeconds: startSeconds };

interface ListedOptions {
  dst?: FactEnd;
  digest?: bigint;
  text?: string;
  port?: number;
}

/** A pod's end without an identity. */
export function podIn(ns: string): FactEnd {
  return { kind: 'workload', ns, identity: '' };
}

/** A streamed record of namespace a. */
export function streamed(record: number, dstNs = 'b'): TrailRecord {
  return { key: { content: `${record}` }, edge: { srcNs: 'a', dstNs, action: 'allow' } };
}

/** The same record from `List`. */
export function listed(
  record: number,
  {
    dst = podIn('b'),
    digest = 7n,
    text = `{"enforced":[],"pending":[],"n":"${digest}"}`,
    port = 80,
  }: ListedOptions = {},
): TrailRecord {
  return {
    ...streamed(record, dst.ns),
    fact: { src: podIn('a'), dst, protocol: 'tcp', port, reporter: 'src', action: 'allow' },
    trace: { digest, text },
  };
}

export function batch(
  start: number,
  records: RecordList,
  mark: Omit<BucketBatch, 'startSeconds' | 'records'> = {},
): BucketBatch {
  return { startSeconds: start, records, ...mark };
}
