import type { CompleteFlow } from '../goldmane/flow.ts';

const BUCKET_SECONDS = 15;

/** An edge as the table must hold it. Times are Unix seconds. */
export interface ExpectedEdge {
  srcNs: string;
  dstNs: string;
  action: string;
  firstSeenSeconds: number;
  lastSeenSeconds: number;
  flowCount: number;
}

/**
 * What the edges must be, once every bucket is settled, if these flows are all that there ever was. On purpose as
 * plain as the requirement and without a line of the trail's own code: tests compare the two.
 *
 * A record is what is the same in bucket, both ends' name, namespace and type, port, service, protocol, reporter
 * and action. It counts once, however often, by whom and with whichever policy trace it was sent, if any of
 * these had a counter that is not zero. Records between workloads of two namespaces make an edge.
 */
export function expectedTrail(flows: Iterable<CompleteFlow>): ExpectedEdge[] {
  const counted = new Set<string>();
  const edges = new Map<string, ExpectedEdge>();
  for (const flow of flows) {
    if (!hasTraffic(flow)) continue;
    const bucket = Math.floor(flow.startSeconds / BUCKET_SECONDS) * BUCKET_SECONDS;
    const record = JSON.stringify([
      ...[bucket, flow.srcName, flow.srcNamespace, flow.srcType, flow.dstName, flow.dstNamespace],
      ...[flow.dstType, flow.dstPort, flow.serviceName, flow.serviceNamespace, flow.servicePortName],
      ...[flow.servicePort, flow.protocol, flow.reporter, flow.action],
    ]);
    if (counted.has(record)) continue;
    counted.add(record);

    const { srcNamespace: srcNs, dstNamespace: dstNs } = flow;
    if (flow.srcType !== 'workload' || flow.dstType !== 'workload') continue;
    if (isNowhere(srcNs) || isNowhere(dstNs) || srcNs === dstNs) continue;
    const action = typeof flow.action === 'string' ? flow.action : 'unspecified';
    const key = JSON.stringify([srcNs, dstNs, action]);
    const edge = edges.get(key);
    const lastSeenSeconds = bucket + BUCKET_SECONDS;
    if (!edge) {
      edges.set(key, { srcNs, dstNs, action, firstSeenSeconds: bucket, lastSeenSeconds, flowCount: 1 });
      continue;
    }
    edge.firstSeenSeconds = Math.min(edge.firstSeenSeconds, bucket);
    edge.lastSeenSeconds = Math.max(edge.lastSeenSeconds, lastSeenSeconds);
    edge.flowCount++;
  }
  return [...edges.values()].toSorted(
    (a, b) => compare(a.srcNs, b.srcNs) || compare(a.dstNs, b.dstNs) || compare(a.action, b.action),
  );
}

function hasTraffic(flow: CompleteFlow): boolean {
  return [
    flow.packetsIn,
    flow.packetsOut,
    flow.bytesIn,
    flow.bytesOut,
    flow.connectionsStarted,
    flow.connectionsCompleted,
    flow.connectionsLive,
  ].some((counter) => counter !== 0);
}

function isNowhere(namespace: string): boolean {
  return namespace === '' || namespace === '-';
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
