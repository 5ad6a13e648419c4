import { ApplicationFailure } from '@temporalio/common';
import type { DigestResult } from '../../src/activities/digest.ts';
import type { JobScenario } from './job-scenario.ts';

const digest: Omit<DigestResult, 'outcome'> = {
  digestId: 'digest/2026-11-23T08:00:00Z',
  says: '1 new edge, from Sun 22 Nov 08:00 GMT to Mon 23 Nov 08:00 GMT',
  edges: 1,
  denied: 0,
  foundLate: 0,
  messages: 1,
  from: 'Sun 22 Nov 08:00 GMT',
  to: 'Mon 23 Nov 08:00 GMT',
  gaps: [],
  gapSeconds: 0,
};

/** A function that fails with each of `failures` before it returns the result. */
function after<Result>(failures: readonly ApplicationFailure[], result: Result): () => Promise<Result> {
  const left = [...failures];
  return () => {
    const failure = left.shift();
    return failure ? Promise.reject(failure) : Promise.resolve(result);
  };
}

const unavailable = ApplicationFailure.create({
  type: 'slack_unavailable',
  message: 'Slack answered with an error of its own (503)',
});
const refused = ApplicationFailure.nonRetryable(
  'Slack refused the message with 404 no_service',
  'slack_no_service',
);
const frozen = after([], { ...digest, outcome: 'frozen' as const });

/** The shapes of history of the digest. */
export const digestScenarios: readonly JobScenario[] = [
  {
    name: 'digest-posted',
    job: 'digest',
    activities: { prepareDigest: frozen, postDigest: after([], { ...digest, outcome: 'posted' }) },
  },
  {
    name: 'digest-posted-at-last',
    job: 'digest',
    activities: {
      prepareDigest: frozen,
      postDigest: after([unavailable, unavailable], { ...digest, outcome: 'posted' }),
    },
  },
  {
    name: 'digest-quiet',
    job: 'digest',
    activities: { prepareDigest: after([], { ...digest, edges: 0, messages: 0, outcome: 'quiet' }) },
  },
  {
    name: 'digest-refused',
    job: 'digest',
    activities: {
      prepareDigest: frozen,
      postDigest: after([refused], { ...digest, outcome: 'posted' }),
    },
  },
];
