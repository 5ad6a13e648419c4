import type { CertificateReport } from '../reports/certificate-report.ts';
import type { PostResult } from '../slack/post.ts';
import { inspectCertificates, postCertificateAlert } from './certificates.ts';
import { reportCompleteness, type CompletenessInput, type CompletenessResult } from './completeness.ts';
import type { JobDeps } from './deps.ts';
import {
  postDigest,
  prepareDigest,
  type DigestInput,
  type DigestResult,
  type PreparedDigest,
} from './digest.ts';
import {
  checkFreshness,
  postDatabaseOutage,
  postFreshnessAlert,
  type DatabaseOutage,
  type FreshnessReport,
} from './freshness.ts';
import { applyRetention, type HousekeepingResult } from './housekeeping.ts';
import type { ExportDeps } from '../flow-logs/deps.ts';
import type { ExportInput, ExportSummary } from '../flow-logs/summary.ts';
import type { AllowlistSummary } from '../queries/allowlist.ts';
import { settleBuckets } from '../ingest/settle-buckets.ts';
import { streamFlows } from '../ingest/stream-flows.ts';
import type { SettleSummary, StreamSummary, WindowInput } from '../ingest/summary.ts';

/** The activities as workflows see them. */
export interface Activities {
  streamFlows(input: WindowInput): Promise<StreamSummary>;
  settleBuckets(input: WindowInput): Promise<SettleSummary>;
  prepareDigest(input: DigestInput): Promise<PreparedDigest>;
  postDigest(input: DigestInput): Promise<DigestResult>;
  inspectCertificates(): Promise<CertificateReport>;
  tellCertificates(report: CertificateReport): Promise<PostResult | 'unchanged'>;
  checkFreshness(): Promise<FreshnessReport>;
  tellFreshness(report: FreshnessReport, hadOutage: boolean): Promise<PostResult | 'unchanged'>;
  tellDatabaseAway(why: string, before: DatabaseOutage | undefined): Promise<DatabaseOutage>;
  reportCompleteness(input: CompletenessInput): Promise<CompletenessResult>;
  applyRetention(): Promise<HousekeepingResult>;
  deriveAllowlist(requested: unknown, defaultUntil: string): Promise<AllowlistSummary>;
}

export function createActivities(deps: JobDeps): Activities {
  return {
    streamFlows: (input) => streamFlows(deps, input),
    settleBuckets: (input) => settleBuckets(deps, input),
    prepareDigest: (input) => prepareDigest(deps, input),
    postDigest: (input) => postDigest(deps, input),
    inspectCertificates: () => inspectCertificates(deps),
    tellCertificates: (report) => postCertificateAlert(deps, report),
    checkFreshness: () => checkFreshness(deps),
    tellFreshness: (report, hadOutage) => postFreshnessAlert(deps, report, hadOutage),
    tellDatabaseAway: (why, before) => postDatabaseOutage(deps, why, before),
    reportCompleteness: (input) => reportCompleteness(deps, input),
    applyRetention: () => applyRetention(deps),
    // Imports the policy code and the YAML library only when an allowlist is derived.
    async deriveAllowlist(requested, defaultUntil) {
      const { deriveAllowlist } = await import('./allowlist.ts');
      return deriveAllowlist(deps, requested, defaultUntil);
    },
  };
}

/** Run by workers that have a receiver of flow logs, on a separate task queue. */
export interface ExportActivities {
  exportFlows(input: ExportInput): Promise<ExportSummary>;
}

export function createExportActivities(deps: ExportDeps): ExportActivities {
  return {
    // Imports the OpenTelemetry libraries only in workers that export.
    async exportFlows(input) {
      const { exportFlows } = await import('../flow-logs/export-flows.ts');
      return exportFlows(deps, input);
    },
  };
}
