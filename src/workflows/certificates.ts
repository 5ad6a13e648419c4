import {
  ActivityFailure,
  ApplicationFailure,
  isCancellation,
  proxyActivities,
  rootCause,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';

// Together below the schedule's execution timeout, so that a run that fails shows why, and not that it took too long.
const { inspectCertificates } = proxyActivities<Activities>({
  startToCloseTimeout: '4 minutes',
  scheduleToCloseTimeout: '12 minutes',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '60 seconds' },
});
const { tellCertificates } = proxyActivities<Activities>({
  startToCloseTimeout: '1 minute',
  scheduleToCloseTimeout: '12 minutes',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '60 seconds' },
});

/** The result of a run whose certificates are not in a critical state. */
export type CertFreshnessResult = Awaited<ReturnType<Activities['inspectCertificates']>> & {
  /** `known`: nothing changed, so nobody was told. */
  told: 'posted' | 'printed' | 'known';
};

/**
 * Looks whether Goldmane accepts the certificates and for how long they are good, tells of every change, and fails
 * (`certificate_<state>`, with cause and cure) while the state is critical, so that the UI shows it.
 */
export async function certFreshness(): Promise<CertFreshnessResult> {
  const report = await inspectCertificates();
  let told: CertFreshnessResult['told'] | undefined;
  let untold = '';
  try {
    told = await tellCertificates(report);
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ActivityFailure) || report.severity !== 'critical')
      throw error;
    untold = ` Nobody could be told: ${rootCause(error) ?? 'unknown error'}`;
  }
  if (told === undefined || report.severity === 'critical') {
    const why = report.findings.map(({ what, cure }) => `${what}. ${cure}.`).join(' ');
    throw ApplicationFailure.nonRetryable(`${why}${untold}`, `certificate_${report.state}`, report);
  }
  return { ...report, told };
}
