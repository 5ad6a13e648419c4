import type { GapReport, Progress, SettleSummary, StreamSummary } from '../ingest/summary.ts';

/** Options of the supervisor; the defaults are for production. Durations are milliseconds. */
export interface SupervisorInput {
  windowMs?: number;
  historyMs?: number;
  heartbeatTimeoutMs?: number;
  maxBackoffMs?: number;
  /** How much faster than the system clock the readers' clock runs; for tests. */
  speed?: number;
  /** Carried over by continue-as-new. */
  status?: TrailStatus;
}

/** Options of the export's supervisor, as those of `SupervisorInput`. */
export type ExportSupervisorInput = Pick<
  SupervisorInput,
  'windowMs' | 'heartbeatTimeoutMs' | 'maxBackoffMs' | 'speed'
>;

/** The readers were stopped by the signal `pause`. */
export interface Pause {
  /** ISO time. */
  since: string;
  reason?: string;
}

export interface ReaderStatus {
  state: Progress['state'];
  asOf: string;
  connectedSince?: string;
  lastError?: string;
  lastWindow?: StreamSummary | SettleSummary;
}

export interface TrailStatus {
  supervisedSince: string;
  stream: ReaderStatus;
  settle: ReaderStatus;
  newestBucket?: string;
  settledUpTo?: string;
  lagSeconds?: number;
  /** Rows of `edge`. */
  edges?: number;
  /** Totals of completed windows since `supervisedSince`. */
  records: number;
  newEdges: number;
  windows: number;
  lateRecords: number;
  /** The newest gaps, at most 20. */
  gaps: GapReport[];
  /** Present while the readers are paused. */
  paused?: Pause;
  /** Present while a reader fails. */
  lastError?: string;
}

export function emptyStatus(now: string): TrailStatus {
  const reader: ReaderStatus = { state: 'connecting', asOf: now };
  return {
    supervisedSince: now,
    stream: reader,
    settle: reader,
    records: 0,
    newEdges: 0,
    windows: 0,
    lateRecords: 0,
    gaps: [],
  };
}

export function withProgress(status: TrailStatus, progress: Progress): TrailStatus {
  const former = status[progress.reader];
  const reader: ReaderStatus = {
    state: progress.state,
    asOf: progress.at,
    ...(progress.connectedSince === undefined ? {} : { connectedSince: progress.connectedSince }),
    ...(progress.error === undefined ? {} : { lastError: progress.error }),
    ...(former.lastWindow === undefined ? {} : { lastWindow: former.lastWindow }),
  };
  return withErrors({
    ...status,
    [progress.reader]: reader,
    ...(progress.newestBucket === undefined ? {} : { newestBucket: progress.newestBucket }),
    ...(progress.settledUpTo === undefined ? {} : { settledUpTo: progress.settledUpTo }),
    ...(progress.lagSeconds === undefined ? {} : { lagSeconds: progress.lagSeconds }),
    ...(progress.edges === undefined ? {} : { edges: progress.edges }),
    ...(progress.gaps === undefined ? {} : { gaps: progress.gaps }),
  });
}

export function withSummary(status: TrailStatus, summary: StreamSummary | SettleSummary): TrailStatus {
  const reader: ReaderStatus = { ...status[summary.reader], asOf: summary.to, lastWindow: summary };
  const next: TrailStatus = {
    ...status,
    [summary.reader]: reader,
    windows: status.windows + 1,
    newEdges: status.newEdges + summary.newEdges,
  };
  switch (summary.reader) {
    case 'stream':
      return withErrors({
        ...next,
        records: status.records + summary.records,
        ...(summary.newestBucket === undefined ? {} : { newestBucket: summary.newestBucket }),
      });
    case 'settle':
      return withErrors({
        ...next,
        lateRecords: status.lateRecords + summary.lateRecords,
        ...(summary.settledUpTo === undefined ? {} : { settledUpTo: summary.settledUpTo }),
      });
  }
}

export function withPause(
  { paused: _former, ...status }: TrailStatus,
  paused: Pause | undefined,
): TrailStatus {
  return paused === undefined ? status : { ...status, paused };
}

function withErrors({ lastError: _former, ...status }: TrailStatus): TrailStatus {
  const failing = [status.stream, status.settle].find(({ state }) => state === 'failing');
  return failing?.lastError === undefined ? status : { ...status, lastError: failing.lastError };
}
