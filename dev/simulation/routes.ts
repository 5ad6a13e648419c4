import type { Cadence } from './cadence.ts';
import type { Workload } from './workloads.ts';

/** One end of a connection. Ends other than pods have the namespace `-`, except namespaced network sets. */
export type End =
  | { kind: 'workload'; workload: Workload }
  | { kind: 'host'; name: string; node: number }
  | { kind: 'network'; name: 'pub' | 'pvt' }
  | { kind: 'networkset'; name: string; namespace: string; labels: readonly string[] };

/**
 * The policy decision on the connection: allowed, denied at the source, denied at the destination, or denied long ago,
 * after which the node keeps repeating the denial with zero counters.
 */
type Verdict = 'allow' | 'deny at source' | 'deny at destination' | 'stale deny';

/** A connection between two ends that is used now and then. `id` seeds its random choices. */
export interface Route {
  readonly id: number;
  readonly source: End;
  readonly destination: End;
  /** The port on which the destination's pod listens; 0 for ICMP. */
  readonly port: number;
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  /** The Service used to reach it. */
  readonly service?: { name: string; namespace: string; portName: string; port: number };
  readonly cadence: Cadence;
  readonly verdict: Verdict;
  /** True if a staged egress policy of the source namespace does not list this destination. */
  readonly unlisted: boolean;
}

export function namespaceOf(end: End): string {
  switch (end.kind) {
    case 'workload':
      return end.workload.namespace;
    case 'networkset':
      return end.namespace;
    case 'host':
    case 'network':
      return '-';
  }
}

/** The nodes whose Felix sees this end. */
export function nodesOf(end: End): readonly number[] {
  switch (end.kind) {
    case 'workload':
      return end.workload.nodes;
    case 'host':
      return [end.node];
    case 'network':
    case 'networkset':
      return [];
  }
}

export function pod(workload: Workload): End {
  return { kind: 'workload', workload };
}

export function host(node: number): End {
  return { kind: 'host', name: `k8s-node${node + 1}-eth0`, node };
}

export const PUBLIC: End = { kind: 'network', name: 'pub' };
export const PRIVATE: End = { kind: 'network', name: 'pvt' };
