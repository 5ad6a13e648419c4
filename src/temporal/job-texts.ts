import type { JobName } from '../config/names.ts';

/** What the Temporal UI shows for a job's schedule and runs. */
interface JobText {
  /** One line: the schedule's note and each run's summary. */
  summary: string;
  /** Markdown for the page of a run. */
  details: string;
}

export const jobTexts: Record<JobName, JobText> = {
  digest: {
    summary: 'Post new edges to Slack',
    details: 'Announces every edge that was not announced before. Set by `DIGEST_CRON` and `TIME_ZONE`.',
  },
  certificates: {
    summary: 'Check certificates',
    details:
      'Checks the client certificate, the CA bundle and a handshake with Goldmane. Fails while a finding is critical. Set by `CERTIFICATES_CRON`, in UTC.',
  },
  completeness: {
    summary: 'Judge the completeness of allowlists',
    details:
      'Judges for each namespace whether an allowlist from the observed flows would be complete. Set by `COMPLETENESS_CRON` and `TIME_ZONE`.',
  },
  freshness: {
    summary: 'Check freshness',
    details:
      'Warns when no records are merged, and pages before Goldmane’s one-hour buffer expires. Set by `FRESHNESS_CRON`, in UTC.',
  },
  housekeeping: {
    summary: 'Apply retention',
    details:
      'Removes what the retention settings allow, never an edge. Set by `HOUSEKEEPING_CRON` and `TIME_ZONE`.',
  },
};
