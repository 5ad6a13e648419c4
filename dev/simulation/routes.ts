import type { Cadence } from './cadence.ts';
import type { Workload } from './workloads.ts';

/** One end of a connection. Everything but pods has the namespace `-`, a namespaced network set its own. */
export type End =
  | { kind: 'workload'; workload: Workload }
  | { kind: 'host'; name: string; node: number }
  | { kind: 'network'; name: 'pub' | 'pvt' }
  | { kind: 'networkset'; name: string; namespace: string; labels: readonly string[] };

/**
 * What policy does with the connection: allows it, denies it at the source, denies it at the destination, or denied it
 * long ago, after which the node keeps repeating the denial with zero counters.
 */
type Verdict = 'allow' | 'deny at source' | 'deny at destination' | 'stale deny';

/** A way from one end to another that is used now and then. `id` is what tells its chances from another's. */
export interface Route {
  readonly id: number;
  readonly source: End;
  readonly destination: End;
  /** As the destination's pod listens; 0 for ICMP. */
  readonly port: number;
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  /** The Service it was reached through. */
  readonly service?: { name: string; namespace: string; portName: string; port: number };
  readonly cadence: Cadence;
  readonly verdict: Verdict;
  /** A staged egress policy of the source namespace does not list this destination. */
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
