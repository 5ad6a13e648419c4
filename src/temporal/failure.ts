import { Failure, isFailureOf } from '../failure/failure.ts';
import { counted } from '../text/counted.ts';

type TemporalFailureKind =
  /** The server at the address is not a Temporal gRPC frontend. */
  | 'not_temporal'
  | 'dns'
  | 'connection_refused'
  | 'unreachable'
  /** A certificate, key, CA or API key file cannot be used. */
  | 'credentials'
  /** The codec's key file cannot be used. */
  | 'codec_keys'
  /** A payload is encrypted with a key that is not in the file. */
  | 'codec_key_unknown'
  /** A payload does not decrypt with the key that has its id. */
  | 'codec_key_wrong'
  /** The server's certificate does not verify with the CA file. */
  | 'server_untrusted'
  | 'wrong_server_name'
  | 'server_certificate_expired'
  | 'client_certificate_expired'
  | 'client_certificate_refused'
  | 'tls'
  | 'no_namespace'
  | 'access_denied'
  | 'unavailable'
  | 'unexpected'
  /** The supervisor, a schedule or an activity belongs to another database. */
  | 'wrong_trail'
  /** A workflow other than the trail's supervisor started a reader. */
  | 'second_supervisor'
  /** Workers poll the task queue, and would create again what is removed. */
  | 'workers_running'
  /** A person has paused the supervisor or its readers. */
  | 'paused'
  /** The supervisor does not exist or does not run. */
  | 'no_supervisor'
  /** The supervisor exists, but no worker responds to its queries. */
  | 'no_worker';

/** Temporal could not be reached or rejected the request. Never contains a secret. */
export type TemporalFailure = Failure<'temporal', TemporalFailureKind>;

export function temporalFailure(kind: TemporalFailureKind, what: string, cure: string): TemporalFailure {
  return new Failure({ system: 'temporal', kind, what, cure, retryable: true });
}

/** @param owner the supervisor, schedule or activity that belongs to trail `other` */
export function wrongTrail(owner: string, other: string, own: string): TemporalFailure {
  return new Failure({
    system: 'temporal',
    kind: 'wrong_trail',
    what: `the name ${owner} is already used by another database: its trail id is ${other}, but this database has ${own}`,
    cure: 'set CLUSTER_NAME or TEMPORAL_NAMESPACE to a value that no other installation uses, or correct DATABASE_URL; if this database replaces the other one, see docs/clusters.md',
    retryable: false,
  });
}

/** @param taskQueue the queue from which a worker took an activity of trail `other` */
export function wrongTrailActivity(
  activity: string,
  taskQueue: string,
  other: string,
  own: string,
): TemporalFailure {
  return new Failure({
    system: 'temporal',
    kind: 'wrong_trail',
    what: `activity ${activity} on the task queue ${taskQueue} was started for another database: its trail id is ${other}, but this worker's database has ${own}`,
    cure: 'use a separate task queue for each installation (CLUSTER_NAME or TEMPORAL_TASK_QUEUE), or correct DATABASE_URL; see docs/clusters.md',
    retryable: false,
  });
}

/** @param former the trail id that the database had when the worker started */
export function replacedTrail(former: string, present: string): TemporalFailure {
  return new Failure({
    system: 'temporal',
    kind: 'wrong_trail',
    what: `the database was replaced: its trail id is ${present}, but it was ${former} when this worker started`,
    cure: 'restart the worker (a container restarts by itself): it checks whether supervisor and schedules belong to this database; see docs/clusters.md',
    retryable: false,
  });
}

export function secondSupervisor(workflowId: string, supervisorId: string): TemporalFailure {
  return new Failure({
    system: 'temporal',
    kind: 'second_supervisor',
    what: `workflow ${workflowId} is not the supervisor of this trail (${supervisorId}); two supervisors would read Goldmane at the same time`,
    cure: `do not start supervisors by hand; a worker keeps ${supervisorId} running`,
    retryable: false,
  });
}

export function workersRunning(pollers: number, taskQueue: string): TemporalFailure {
  return temporalFailure(
    'workers_running',
    `${counted(pollers, 'worker')} polled the task queue ${taskQueue} in the last 100 seconds`,
    'stop all workers, for example by scaling the Deployment to 0, and try again after 100 seconds',
  );
}

/** Kinds caused by a restart of Temporal or of the network; they usually pass within a minute. */
const passing: ReadonlySet<string> = new Set([
  'unavailable',
  'connection_refused',
  'unreachable',
  'dns',
  'not_temporal',
]);

/** Whether it may resolve without human action: false if a setting, a credential or a permission is wrong. */
export function mayPass(failure: Failure): boolean {
  return failure.system === 'temporal' && passing.has(failure.kind);
}

export function isTemporalFailure(error: unknown): error is TemporalFailure {
  return isFailureOf('temporal', error);
}
