import {
  ActivityFailure,
  ApplicationFailure,
  isCancellation,
  proxyActivities,
  rootCause,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';

// The sum stays below the schedule's execution timeout, so that a failed run shows its cause, not a timeout.
const { inspectCertificates } = proxyActivities<Activities>({
  summary: 'Inspect files, connect to Goldmane',
  startToCloseTimeout: '4 minutes',
  scheduleToCloseTimeout: '12 minutes',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '60 seconds' },
});
// The type `tellCertificates` is in histories, so it stays.
const { tellCertificates: postCertificateAlert } = proxyActivities<Activities>({
  summary: 'Post a change of state',
  startToCloseTimeout: '1 minute',
  scheduleToCloseTimeout: '12 minutes',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '60 seconds' },
});

/** The result of a run whose certificates are not in a critical state. */
type CertificatesResult = Awaited<ReturnType<Activities['inspectCertificates']>> & {
  /** `unchanged`: the state did not change, so nothing was posted. */
  alert: 'posted' | 'printed' | 'unchanged';
};

/**
 * Checks whether Goldmane accepts the certificates and when they expire, and posts every change. Fails
 * (`certificate_<state>`, with the cause and what to do) while the state is critical, so that the Temporal UI shows it.
 */
export async function certFreshness(): Promise<CertificatesResult> {
  const report = await inspectCertificates();
  let alert: CertificatesResult['alert'] | undefined;
  let notPosted = '';
  try {
    alert = await postCertificateAlert(report);
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ActivityFailure) || report.severity !== 'critical')
      throw error;
    notPosted = ` The alert was not posted: ${rootCause(error) ?? 'unknown error'}`;
  }
  if (alert === undefined || report.severity === 'critical') {
    const why = report.findings.map(({ what, cure }) => `${what}. ${cure}.`).join(' ');
    throw ApplicationFailure.nonRetryable(`${why}${notPosted}`, `certificate_${report.state}`, report);
  }
  return { ...report, alert };
}
