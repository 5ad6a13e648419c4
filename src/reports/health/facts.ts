import type { Severity } from '../../coverage/severity.ts';
import type { CoverageStretch } from '../../trail/coverage-ranges/coverage.ts';
import type { ExportGap } from '../../trail/export/export-gaps.ts';
import type { ExportState } from '../../trail/export/export-state.ts';
import type { ControlFacts } from '../../temporal/control-facts.ts';

/** Why a system does not respond. */
export interface Unreachable {
  what: string;
  cure: string;
}

/** Facts from the database. */
export interface HealthTrail {
  trailId: string;
  /** The verdict of the job `freshness`, as one sentence with its cause. */
  freshness: { severity: Severity; what: string; cause: string };
  /** Worker processes that ended unexpectedly in the last 30 minutes. */
  crashes: number;
  newestBucket: Date | undefined;
  settledBucket: Date | undefined;
  /** When the tables were created. */
  since: Date;
  /** How far the machine's clock is ahead of the database's, milliseconds. */
  clockAheadMs: number;
  /** Of the last 24 hours. */
  coverage: readonly CoverageStretch[];
  /** When the newest finished digest was frozen, and the oldest unfinished digest after it. */
  digests: { doneAt: Date | undefined; waitingSince: Date | undefined };
  /** Last result of the job certificates; `state` lists its findings, joined by `+`. */
  certificates: { state: string; detail: string; checkedAt: Date } | undefined;
  /** The export of flow logs, and its gaps in the last 24 hours. */
  export: ExportState & { gaps: readonly ExportGap[] };
}

export interface HealthFacts {
  nowMs: number;
  trail: HealthTrail | Unreachable;
  /** Why the worker cannot use a database that responds, for example because it may only read. */
  databaseTrouble?: Unreachable | undefined;
  control: ControlFacts | Unreachable;
  formatTime: (time: Date) => string;
}
