import type { FlowDecoder, FlowKey, MalformedFlow } from '../../goldmane/decoder/decode.ts';
import { visitResponse } from '../../goldmane/list-response.ts';
import { ListedRecords } from './listed-records.ts';
import { namespaceOf, type FactEnd, type FactKey } from '../record.ts';
import { edgeKeyOf } from '../edge-key.ts';

/** Ids of records that no earlier response contained; a server run is recognised by ids that recur. */
const newIds = 2_048;
/** All rejected records are counted; the reasons of the first ones are kept. */
const describedMalformed = 100;

export interface FoldSettings {
  readonly label: string;
  readonly namespaces: ReadonlySet<string> | 'all';
  /** A response with more records is rejected before any record is decoded. Default: no limit. */
  readonly maxRecords?: number;
  /** Groups of facts in one bucket; facts beyond the limit are dropped. Default: no limit. */
  readonly maxGroups?: number;
  /** Bytes of policy traces in one bucket; traces beyond the limit are stored as "other". Default: no limit. */
  readonly maxTraceBytes?: number;
  /** Whether an earlier response had a record with this content; `ids` then includes it. */
  readonly isKnown?: (content: string) => boolean;
}

/** The content of one `List` response. */
export interface ListedBucket {
  startSeconds: number;
  records: ListedRecords;
  /** The server's ids of a record's flow keys, by content: all known contents and some new ones. */
  ids: Map<string, number[]>;
  /** Records in the response, including those not counted. */
  count: number;
  noTraffic: number;
  /** Unreadable records: the number, and the reasons of the first ones. */
  refused: number;
  malformed: MalformedFlow[];
}

/**
 * Folds one `List` response into records with edge, fact and policy trace, without an object per record. It pauses
 * every few thousand records, because a response of 250,000 takes seconds and the stream must be read in between. A
 * connection that appears under two keys (with the hits of its policy trace in a different order) is one record. If a
 * record has two different traces, the one with the smaller digest becomes the record's trace and the other is stored
 * as additional evidence.
 * @throws GoldmaneFailure (`invalid_list_response`, `response_too_large`), MalformedFlow
 */
export function* foldList(
  decoder: FlowDecoder,
  raw: Buffer,
  startSeconds: number,
  settings: FoldSettings,
): Generator<undefined, ListedBucket> {
  const unlimited = Number.POSITIVE_INFINITY;
  const {
    maxRecords = unlimited,
    maxGroups = unlimited,
    maxTraceBytes = unlimited,
    isKnown = () => false,
  } = settings;
  let records = new ListedRecords(0, { groups: maxGroups, traceBytes: maxTraceBytes });
  const ids = new Map<string, number[]>();
  let newLeft = newIds;
  const malformed: MalformedFlow[] = [];
  let refused = 0;
  let noTraffic = 0;
  const count = yield* visitResponse(
    decoder,
    raw,
    { startSeconds, maxRecords },
    {
      onStart(held) {
        records = new ListedRecords(held, { groups: maxGroups, traceBytes: maxTraceBytes });
      },
      onRecord(record) {
        const { key } = record;
        const known = ids.get(key.content);
        if (known) known.push(record.id);
        else if (isKnown(key.content)) ids.set(key.content, [record.id]);
        else if (newLeft > 0) {
          newLeft -= 1;
          ids.set(key.content, [record.id]);
        }
        if (!record.hasTraffic) {
          noTraffic += 1;
          return;
        }
        const labelOf = (end: 'src' | 'dst') =>
          (end === 'src' ? record.sourceLabel(settings.label) : record.destLabel(settings.label)) ?? '';
        records.add(key.content, edgeKeyOf(key), factKeyOf(key, labelOf, settings), record.trace);
      },
      onMalformed(error) {
        refused += 1;
        if (malformed.length < describedMalformed) malformed.push(error);
      },
    },
  );
  return { startSeconds, records, ids, count, noTraffic, refused, malformed };
}

function factKeyOf(key: FlowKey, labelOf: (end: 'src' | 'dst') => string, settings: FoldSettings): FactKey {
  const end = (side: 'src' | 'dst', kind: FactEnd['kind'], namespace: string, name: string): FactEnd => {
    const ns = namespaceOf(namespace);
    switch (kind) {
      case 'network':
      case 'networkset':
        return { kind, ns, identity: name };
      case 'workload': {
        const looked = settings.namespaces === 'all' || settings.namespaces.has(ns);
        return { kind, ns, identity: looked ? labelOf(side) : '' };
      }
      case 'host':
      case 'unspecified':
        return { kind, ns, identity: '' };
    }
  };
  return {
    src: end('src', key.srcType, key.srcNamespace, key.srcName),
    dst: end('dst', key.dstType, key.dstNamespace, key.dstName),
    protocol: key.protocol,
    port: key.dstPort,
    reporter: key.reporter,
    action: key.action,
  };
}
