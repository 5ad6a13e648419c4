import type { CompleteFlow } from '../goldmane/flow.ts';
import { compareText } from '../../src/text/order.ts';

const BUCKET_SECONDS = 15;

/** An edge as the table must have it. Times are Unix seconds. */
export interface ExpectedEdge {
  srcNs: string;
  dstNs: string;
  action: string;
  firstSeenSeconds: number;
  lastSeenSeconds: number;
  flowCount: number;
}

/**
 * The edges that must exist once every bucket of these flows is settled. Deliberately as simple as the requirement and
 * without any of the trail's own code, because tests compare the two.
 *
 * Flows with the same bucket, both ends' name, namespace and type, port, service, protocol, reporter and action are one
 * record. It counts once if any of these flows has a non-zero counter, no matter how often, by which node and with
 * which policy trace they were sent. Records between workloads of two namespaces form an edge.
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
    (a, b) =>
      compareText(a.srcNs, b.srcNs) || compareText(a.dstNs, b.dstNs) || compareText(a.action, b.action),
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
