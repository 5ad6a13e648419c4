/**
 * The data of the page, as the worker sends it and as `flow-trail map` embeds it. Times are ISO 8601 in UTC. Names come
 * from the cluster, so the page must write them only as text.
 */
export interface MapData {
  madeAt: string;
  /** IANA name; the page shows times in it. */
  timeZone: string;
  /** CLUSTER_NAME; empty for a single cluster. */
  cluster: string;
  /** Address of the Temporal UI's list of workflows; null when unknown. */
  temporalUiUrl: string | null;
  /** Null before anything was observed. */
  trailBegan: string | null;
  namespaces: MapNamespace[];
  edges: MapEdge[];
  /** Flows with endpoints outside the cluster within `externalDays`; they are never edges. */
  externals: MapEdge[];
  externalDays: number;
  coverage: MapStretch[];
  /** True for a file: nothing beyond `details` can be requested. */
  isFile: boolean;
  /** By namespace; only in a file. */
  details?: Record<string, NamespaceDetail>;
  /** Of the last week; only in a file. */
  changes?: MapChanges;
}

interface MapNamespace {
  name: string;
  firstSeen: string | null;
  lastSeen: string | null;
  /** Completeness verdict; null if nothing is settled yet. */
  verdict: 'complete' | 'unstable' | 'learning' | 'stale' | null;
  coveredDays: number;
  requiredDays: number;
}

export interface MapEdge {
  src: string;
  dst: string;
  action: string;
  firstSeen: string;
  lastSeen: string;
  /** Distinct records; a string, because it may exceed 2^53. */
  flows: string;
  /** Service identities of its endpoints; absent without one. */
  identities?: string[];
}

/** The changes between two times, as in `flow-trail diff`. */
export interface MapChanges {
  from: string;
  to: string;
  silentDays: number;
  notCovered: MapStretch[];
  appeared: MapEdge[];
  fellSilent: MapEdge[];
  allowedToDenied: MapEdge[];
  deniedToAllowed: MapEdge[];
  newPorts: MapNewPorts[];
}

/** New ports of a pair of endpoints. */
interface MapNewPorts {
  src: string;
  dst: string;
  ports: string[];
  action: string;
  firstSeen: string;
}

export interface MapStretch {
  from: string;
  to: string;
  state: string;
  cause?: string;
}

/** Flows of a namespace, by peer, port and action, within the period of the evidence. */
export interface NamespaceDetail {
  name: string;
  /** Days of evidence covered by the rows. */
  periodDays: number;
  /** True if more rows exist than are shown. */
  isCut: boolean;
  rows: DetailRow[];
}

export interface DetailRow {
  direction: 'in' | 'out';
  /** The peer as text: `dbaas/postgresql`, `pub (public addresses)`. */
  peer: string;
  /** Its namespace; empty for endpoints outside the cluster, hosts and network sets. */
  peerNamespace: string;
  /** Service identity of this namespace's endpoint; empty without one. */
  identity: string;
  port: string;
  action: string;
  /** The endpoint that reported it: `src`, `dst` or another value from Goldmane. */
  reporter: string;
  firstSeen: string;
  lastSeen: string;
  days: number;
  flows: number;
  /** The policies that decided, the most frequent first. */
  policies: string[];
  /** The verdict of staged policies, if different; null if they agree or there are none. */
  staged: 'allow' | 'deny' | null;
}

/** A run of a job, for the page. */
export interface MapRun {
  job: string;
  workflowId: string;
  runId: string;
  status: string;
  startedAt: string;
  closedAt: string | null;
}
