/** Input and results of the activities. Plain JSON, stored in workflow history. */
export interface WindowInput {
  /** Duration of a window, milliseconds by the trail's clock. */
  windowMs: number;
}

export interface StreamSummary {
  reader: 'stream';
  from: string;
  to: string;
  /** `window`: it lasted its full time; `cancelled`: it was requested to end early. */
  ended: 'window' | 'cancelled';
  connections: number;
  /** Records received, and the number not counted, by reason. */
  records: number;
  leftOut: Record<string, number>;
  merges: number;
  recordsMerged: number;
  newEdges: number;
  /** The first new edges by name, at most 20. */
  newEdgeNames: string[];
  newestBucket: string | undefined;
  bucketsStreamedWhole: number;
  maxLagSeconds: number;
  /** Reconnects by cause. */
  reconnects: Record<string, number>;
  lastError?: string;
}

export interface SettleSummary {
  reader: 'settle';
  from: string;
  to: string;
  ended: 'window' | 'cancelled';
  bucketsSettled: number;
  bucketsFinal: number;
  emptyBuckets: number;
  /** Records listed, and the number not counted, by reason. */
  records: number;
  leftOut: Record<string, number>;
  /** Records that the stream missed, and records counted in facts. */
  lateRecords: number;
  factRecords: number;
  newEdges: number;
  newEdgeNames: string[];
  newFacts: number;
  lists: number;
  listSeconds: number;
  settledUpTo: string | undefined;
  bucketsWaiting: number;
  gaps: GapReport[];
  serverRestarts: number;
  lastError?: string;
}

export interface GapReport {
  from: string;
  to: string;
  cause: string;
}

/** What a reader reports between two summaries; `worker/progress-news.ts` decides which reports are sent to the supervisor. */
export interface Progress {
  reader: 'stream' | 'settle';
  at: string;
  state: 'connecting' | 'connected' | 'failing';
  connectedSince?: string;
  newestBucket?: string;
  settledUpTo?: string;
  lagSeconds?: number;
  records?: number;
  newEdges?: number;
  /** Rows of `edge`. */
  edges?: number;
  /** The newest gaps, oldest first; absent if unchanged. */
  gaps?: GapReport[];
  error?: string;
}
