import type { JobName } from '../config/temporal-names.ts';

/** Texts that the Temporal UI shows for a job's schedule and runs. */
interface JobText {
  /** One line: the schedule's note and each run's summary. */
  summary: string;
  /** Markdown for the page of a run. */
  details: string;
}

export const jobTexts: Record<JobName, JobText> = {
  digest: {
    summary: 'Post new edges to Slack',
    details:
      'Announces every edge that has not been announced yet. Scheduled by `DIGEST_CRON` and `TIME_ZONE`.',
  },
  certificates: {
    summary: 'Check certificates',
    details:
      'Checks the client certificate, the CA bundle and a handshake with Goldmane. Fails while a finding is critical. Scheduled by `CERTIFICATES_CRON`, in UTC.',
  },
  completeness: {
    summary: 'Assess whether allowlists would be complete',
    details:
      'Assesses for each namespace whether an allowlist derived from the observed flows would be complete. Scheduled by `COMPLETENESS_CRON` and `TIME_ZONE`.',
  },
  freshness: {
    summary: 'Check freshness',
    details:
      'Warns when no records are merged, and pages before Goldmane’s one-hour buffer expires. Scheduled by `FRESHNESS_CRON`, in UTC.',
  },
  housekeeping: {
    summary: 'Apply retention',
    details:
      'Deletes old rows according to the retention settings, but never an edge. Scheduled by `HOUSEKEEPING_CRON` and `TIME_ZONE`.',
  },
};
