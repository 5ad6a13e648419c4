import type { EdgeKey } from './edge-key.ts';
import type { Action, EndpointType, FlowKey, PolicyTrace, Reporter } from '../goldmane/decoder/decode.ts';

/**
 * One end of a fact. `identity` is the service identity, a network set's name, or `pub` / `pvt`; '' if there is none.
 */
export interface FactEnd {
  readonly kind: EndpointType;
  readonly ns: string;
  readonly identity: string;
}

/** The finest detail stored (invariant 5): one row of `flow_fact`, before the port cap. */
export interface FactKey {
  readonly src: FactEnd;
  readonly dst: FactEnd;
  /** Lower case, as Goldmane sends it: tcp, udp, icmp, or a number. */
  readonly protocol: string;
  /** After DNAT; 0 where the protocol has none. In the database, -1 is "many": ports beyond the cap. */
  readonly port: number;
  readonly reporter: Reporter;
  readonly action: Action;
}

/** Identifies a record within its bucket. Records with equal contents are one record, even as different objects. */
export type RecordKey = Pick<FlowKey, 'content'>;

/** A record to be merged, with the edge and fact that it counts for. */
export interface TrailRecord {
  readonly key: RecordKey;
  /** Absent unless both ends are workloads, in two different namespaces. */
  readonly edge?: EdgeKey;
  /** Only from `List`: streamed records may still gain or lose labels. */
  readonly fact?: FactKey;
  readonly trace?: PolicyTrace;
}

/** The records of one bucket; can be visited repeatedly. */
export interface RecordList extends Iterable<TrailRecord> {
  readonly length: number;
  /** Each visit creates new key objects, so they cannot be cached by object identity. */
  readonly areKeysTransient?: boolean;
}

/** Records of one bucket, from one `List` response or from the stream so far. */
export interface BucketBatch {
  readonly startSeconds: number;
  readonly records: RecordList;
  /** The stream was open during the whole delivery of the bucket. */
  readonly streamedWhole?: boolean;
  /** What the `List` response proves (invariant 2); absent for streamed records. */
  readonly settled?: 'settled' | 'final';
  /** Number of rejected records in the response; if there are any, the bucket is incomplete. Only set together with `settled`. */
  readonly refusedRecords?: number;
  /** Why the bucket can never be settled, if known. */
  readonly gapCause?: string;
}

/** Felix writes "no namespace" as `-`; Goldmane's API as the empty string. */
export function namespaceOf(namespace: string): string {
  return namespace === '-' ? '' : namespace;
}

/**
 * The end without its identity: a workload is then only known by its namespace, a network set only as an unnamed end of it (a
 * network set without a name could be mistaken for another one). Networks keep `pub` and `pvt`. The same object if nothing changes.
 */
export function withoutIdentity(end: FactEnd): FactEnd {
  switch (end.kind) {
    case 'workload':
      return end.identity === '' ? end : { ...end, identity: '' };
    case 'networkset':
      return { kind: 'unspecified', ns: end.ns, identity: '' };
    case 'network':
    case 'host':
    case 'unspecified':
      return end;
  }
}

export function factGroupText({ src, dst, protocol, reporter, action }: FactKey): string {
  return [src.kind, src.ns, src.identity, dst.kind, dst.ns, dst.identity, protocol, reporter, action].join(
    '\n',
  );
}
