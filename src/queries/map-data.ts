/**
 * What the page shows, as the worker sends it and as `flow-trail map` embeds it. Times are ISO 8601 in UTC. Names come from
 * the cluster: the page only ever writes them as text.
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
  /** Flows with ends outside of the cluster within `externalDays`; they are never edges. */
  externals: MapEdge[];
  externalDays: number;
  coverage: MapStretch[];
  /** True for a file: nothing beyond `details` can be asked for. */
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
  /** Completeness verdict; null where nothing is settled yet. */
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
  /** Service identities at its ends; absent without one. */
  identities?: string[];
}

/** What changed between two times, as `flow-trail diff` finds it. */
export interface MapChanges {
  from: string;
  to: string;
  silentDays: number;
  notCovered: MapStretch[];
  appeared: MapEdge[];
  fellSilent: MapEdge[];
  allowedToDenied: MapEdge[];
  deniedToAllowed: MapEdge[];
}

export interface MapStretch {
  from: string;
  to: string;
  state: string;
  cause?: string;
}

/** What a namespace does, by other end, port and action, within the period of the evidence. */
export interface NamespaceDetail {
  name: string;
  /** Days of evidence that the rows are taken from. */
  periodDays: number;
  /** True where more rows exist than are shown. */
  isCut: boolean;
  rows: DetailRow[];
}

export interface DetailRow {
  direction: 'in' | 'out';
  /** The other end as text: `dbaas/postgresql`, `pub (public addresses)`. */
  peer: string;
  /** Its namespace; empty for ends outside of the cluster, hosts and network sets. */
  peerNamespace: string;
  /** Service identity of this namespace's end; empty without one. */
  identity: string;
  port: string;
  action: string;
  /** Which end reported it: `src`, `dst` or another word of Goldmane's. */
  reporter: string;
  firstSeen: string;
  lastSeen: string;
  days: number;
  flows: number;
  /** The policies that decided, the most frequent first. */
  policies: string[];
  /** What staged policies would do instead; null where they agree, or where there is none. */
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
