/** Input and result of the activity. Plain JSON, stored in workflow history. */
export interface ExportInput {
  /** How long a window lasts, milliseconds of the trail's clock. */
  windowMs: number;
}

export interface ExportSummary {
  from: string;
  to: string;
  /** `window`: it lasted its full time; `cancelled`: it was asked to end early. */
  ended: 'window' | 'cancelled';
  /** Buckets that were exported; one that got late records counts again. */
  buckets: number;
  records: number;
  rejected: number;
  /** Buckets that were not exported completely, without those that the trail did not settle. */
  gaps: number;
  lastError?: string;
}

/** In the heartbeat, for the Temporal UI. */
export interface ExportHeartbeat {
  at: string;
  /** The bucket that was sent last. */
  bucket?: string;
  /** Buckets that were to be sent when the round began. */
  waiting?: number;
  error?: string;
}
