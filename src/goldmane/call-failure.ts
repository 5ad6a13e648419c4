import { status } from '@grpc/grpc-js';
import type { CallError } from './calls.ts';
import {
  goldmaneFailure,
  type GoldmaneFailure,
  type CertificateBundle,
  type GoldmaneFailureDetails,
} from './failure.ts';

/** Which call failed, for the message. */
export interface FailedCall {
  method: 'List' | 'Stream';
  host: string;
  bundle: CertificateBundle;
  maxReceiveBytes: number;
  /** Time limit of List, milliseconds of the trail's clock. */
  deadlineMs: number;
}

const MAX_DETAILS = 300;
const SEE_LOGS = 'See the logs of Goldmane (kubectl logs -n calico-system deploy/goldmane)';
const RECONNECT =
  'The next try connects anew; if it goes on, see the logs of Goldmane (kubectl logs -n calico-system deploy/goldmane)';

/** Names the cause and the cure of a gRPC call that ended with an error. */
export function explainCallError(error: CallError, call: FailedCall): GoldmaneFailure {
  return goldmaneFailure({ ...classify(error, call), bundle: call.bundle, code: status[error.code] });
}

function classify(error: CallError, call: FailedCall): GoldmaneFailureDetails {
  const { method, host } = call;
  const details = error.details.slice(0, MAX_DETAILS);
  switch (error.code) {
    case status.DEADLINE_EXCEEDED:
      return {
        kind: 'timeout',
        what: `${method} did not answer within ${call.deadlineMs / 1000} s at ${host}`,
        cure: 'Goldmane goes on with what was abandoned: wait as long again; if it goes on, it has too little CPU',
      };
    case status.UNAVAILABLE:
    case status.CANCELLED:
      return brokenConnection(call, details);
    case status.RESOURCE_EXHAUSTED:
      if (/larger than max/.test(details)) return tooLarge(call, details);
      return refusal(error, call, details);
    case status.INTERNAL:
      // What grpc-js reports for a stream that was reset, or that ended without a status.
      if (/RST_STREAM|Connection dropped|without gRPC status/.test(details))
        return brokenConnection(call, details);
      if (/parsing error|deserializ|decompress|incomplete message/i.test(details))
        return {
          kind: 'malformed_answer',
          what: `${method} of ${host} answered with what is no gRPC message (${details})`,
          cure: `See that GOLDMANE_HOST is Goldmane itself. ${RECONNECT}`,
        };
      return refusal(error, call, details);
    default:
      return refusal(error, call, details);
  }
}

function brokenConnection({ method, host }: FailedCall, details: string): GoldmaneFailureDetails {
  return {
    kind: 'unavailable',
    what: `The connection to Goldmane at ${host} broke during ${method} (${details})`,
    cure: RECONNECT,
  };
}

function tooLarge({ method, host, maxReceiveBytes }: FailedCall, details: string): GoldmaneFailureDetails {
  return {
    kind: 'answer_too_large',
    what: `An answer of ${method} at ${host} is larger than the ${Math.floor(maxReceiveBytes / 1024)} KiB that are accepted (${details})`,
    cure:
      'Find what opens so many connections (a port scan, for example), or give the worker more memory. The edges of this ' +
      'bucket rest on the stream alone',
  };
}

function refusal(error: CallError, { method, host }: FailedCall, details: string): GoldmaneFailureDetails {
  return {
    kind: 'refused',
    what: `Goldmane at ${host} refused ${method}: ${status[error.code] ?? error.code} ${details}`,
    cure: cureOfRefusal(error.code),
  };
}

function cureOfRefusal(code: status): string {
  switch (code) {
    case status.UNIMPLEMENTED:
      return 'What answers there does not know this call: set GOLDMANE_HOST to a Goldmane of Calico 3.30 or newer';
    case status.RESOURCE_EXHAUSTED:
      return `It has too much to do, or too little memory or CPU: it is asked again, ever more slowly. ${SEE_LOGS}`;
    case status.PERMISSION_DENIED:
    case status.UNAUTHENTICATED:
      return 'Goldmane itself asks for no more than our certificate: see what stands before it (a proxy, a mesh), and GOLDMANE_HOST';
    default:
      return `${SEE_LOGS}, and that GOLDMANE_HOST is Calico 3.30 or newer`;
  }
}
