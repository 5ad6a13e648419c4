import { FLOW_DEST_LABEL, FLOW_SOURCE_LABEL, type FlowScan } from './flow-scan.ts';
import { WireReader } from './wire-reader.ts';

/**
 * Fields of a record that the trail does not store. Names are unchanged and may have any length; if a field occurs
 * several times, the last value is used.
 */
export interface RecordDetails {
  /** Name of a pod without its random suffix, for example `web-6c9f7d-*`, or of a host, a network or a network set. */
  srcName: string;
  dstName: string;
  /** `''` and `-` both mean that no Service was involved. */
  serviceName: string;
  serviceNamespace: string;
  servicePortName: string;
  servicePort: number;
  counters: RecordCounters;
  /** `key=value`, common to all contributing pods. */
  srcLabels: string[];
  dstLabels: string[];
}

type RecordCounters = Record<(typeof counterNames)[number], number>;

/** Fields 6 to 12 of Flow, in this order. */
export const counterNames = [
  'packetsIn',
  'packetsOut',
  'bytesIn',
  'bytesOut',
  'connectionsStarted',
  'connectionsCompleted',
  'connectionsLive',
] as const;
const firstCounter = 6;

/** Reads the record that `scan` scanned last. Its key must have been decoded, which validated the fields read here. */
export function readDetails(scan: FlowScan, { withLabels }: { withLabels: boolean }): RecordDetails {
  const details: RecordDetails = {
    ...readKey(scan),
    counters: readCounters(scan),
    srcLabels: [],
    dstLabels: [],
  };
  if (withLabels) readLabels(scan, details);
  return details;
}

function readKey({ key }: FlowScan): Omit<RecordDetails, 'counters' | 'srcLabels' | 'dstLabels'> {
  const found = {
    srcName: '',
    dstName: '',
    serviceName: '',
    serviceNamespace: '',
    servicePortName: '',
    servicePort: 0,
  };
  const reader = readerOf(key.buf, key.start, key.end);
  while (reader.pos < reader.end) {
    const tag = reader.tag();
    switch (tag >>> 3) {
      case 1:
        found.srcName = readText(reader);
        break;
      case 4:
        found.dstName = readText(reader);
        break;
      case 8:
        found.serviceName = readText(reader);
        break;
      case 9:
        found.serviceNamespace = readText(reader);
        break;
      case 10:
        found.servicePortName = readText(reader);
        break;
      case 11:
        found.servicePort = reader.int64();
        break;
      default:
        reader.skip(tag);
    }
  }
  return found;
}

function readCounters({ flow }: FlowScan): RecordCounters {
  const counters: RecordCounters = {
    packetsIn: 0,
    packetsOut: 0,
    bytesIn: 0,
    bytesOut: 0,
    connectionsStarted: 0,
    connectionsCompleted: 0,
    connectionsLive: 0,
  };
  const reader = readerOf(flow.buf, flow.start, flow.end);
  while (reader.pos < reader.end) {
    const tag = reader.tag();
    const name = counterNames[(tag >>> 3) - firstCounter];
    if (name === undefined) reader.skip(tag);
    else counters[name] = reader.int64();
  }
  return counters;
}

function readLabels({ flow, labelsStart, labelsEnd }: FlowScan, details: RecordDetails): void {
  const reader = readerOf(flow.buf, labelsStart, labelsEnd);
  while (reader.pos < reader.end) {
    const tag = reader.tag();
    if (tag === FLOW_SOURCE_LABEL) details.srcLabels.push(readText(reader));
    else if (tag === FLOW_DEST_LABEL) details.dstLabels.push(readText(reader));
    else reader.skip(tag);
  }
}

function readerOf(buf: Buffer, start: number, end: number): WireReader {
  const reader = new WireReader();
  reader.reset(buf, start, end);
  return reader;
}

/** Bytes that are not UTF-8 become U+FFFD. */
function readText(reader: WireReader): string {
  const end = reader.contentEnd();
  const text = reader.buf.toString('utf8', reader.pos, end);
  reader.pos = end;
  return text;
}
