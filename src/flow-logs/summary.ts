/** Input and result of the activity. Plain JSON, stored in workflow history. */
export interface ExportInput {
  /** Duration of a window, milliseconds of the trail's clock. */
  windowMs: number;
}

export interface ExportSummary {
  from: string;
  to: string;
  /** `window`: it lasted its full time; `cancelled`: it was requested to end early. */
  ended: 'window' | 'cancelled';
  /** Exported buckets; a bucket with late records counts again. */
  buckets: number;
  records: number;
  rejected: number;
  /** Buckets that were not exported completely, excluding those that the trail did not settle. */
  gaps: number;
  lastError?: string;
}

/** Content of the heartbeat, shown in the Temporal UI. */
export interface ExportHeartbeat {
  at: string;
  /** The last bucket that was sent. */
  bucket?: string;
  /** Buckets waiting to be sent when the round began. */
  waiting?: number;
  error?: string;
}
