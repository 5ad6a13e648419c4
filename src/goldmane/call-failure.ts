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
  /** Time limit of List, milliseconds by the trail's clock. */
  deadlineMs: number;
}

const MAX_DETAILS = 300;
const SEE_LOGS = 'Check the logs of Goldmane (kubectl logs -n calico-system deploy/goldmane)';
const RECONNECT =
  'The next attempt opens a new connection; if this persists, check the logs of Goldmane (kubectl logs -n calico-system deploy/goldmane)';

/** Explains why a gRPC call failed, and what to do. */
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
        what: `Goldmane at ${host} did not respond to ${method} within ${call.deadlineMs / 1000} s`,
        cure: 'Goldmane is still processing the abandoned call, so the next call waits for it. If this persists, give Goldmane more CPU',
      };
    case status.UNAVAILABLE:
    case status.CANCELLED:
      return brokenConnection(call, details);
    case status.RESOURCE_EXHAUSTED:
      if (isText(details)) return notGrpc(call, details);
      if (/larger than max/.test(details)) return tooLarge(call, details);
      return refusal(error, call, details);
    case status.INTERNAL:
      // The error that grpc-js reports for a stream that was reset or ended without a status.
      if (/RST_STREAM|Connection dropped|without gRPC status/.test(details))
        return brokenConnection(call, details);
      if (/parsing error|deserializ|decompress|incomplete message/i.test(details))
        return notGrpc(call, details);
      return refusal(error, call, details);
    default:
      return refusal(error, call, details);
  }
}

/**
 * Whether a message is too large only because text, such as the HTML of a proxy, was read as its length: the four bytes of
 * the length are printable. grpc-js does not check the content type. Such a message would be larger than 500 MiB.
 */
function isText(details: string): boolean {
  const length = /larger than max \((\d+) vs/.exec(details)?.[1];
  if (length === undefined) return false;
  const bytes = [24, 16, 8, 0].map((shift) => (Number(length) >>> shift) & 0xff);
  return bytes.every((byte) => (byte >= 0x20 && byte < 0x7f) || byte === 0x0a || byte === 0x0d);
}

function notGrpc({ method, host }: FailedCall, details: string): GoldmaneFailureDetails {
  return {
    kind: 'malformed_response',
    what: `The server at ${host} returned something other than a gRPC message to ${method} (${details})`,
    cure: `Check that GOLDMANE_HOST is the address of Goldmane itself. ${RECONNECT}`,
  };
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
    kind: 'response_too_large',
    what: `The response to ${method} from ${host} exceeds the limit of ${Math.floor(maxReceiveBytes / 1024)} KiB (${details})`,
    cure:
      'Find out what opens so many connections (a port scan, for example), or give the worker more memory' +
      (method === 'List' ? '. Until then, the edges of this bucket come from the stream only' : ''),
  };
}

function refusal(error: CallError, { method, host }: FailedCall, details: string): GoldmaneFailureDetails {
  return {
    kind: 'refused',
    what: `Goldmane at ${host} rejected ${method}: ${status[error.code] ?? error.code} ${details}`,
    cure: cureOfRefusal(error.code),
  };
}

function cureOfRefusal(code: status): string {
  switch (code) {
    case status.UNIMPLEMENTED:
      return 'The server at that address does not implement this call: set GOLDMANE_HOST to the address of a Goldmane of Calico 3.30 or newer';
    case status.RESOURCE_EXHAUSTED:
      return `Goldmane is overloaded or has too little memory or CPU; the worker retries with backoff. ${SEE_LOGS}`;
    case status.PERMISSION_DENIED:
    case status.UNAUTHENTICATED:
      return 'Goldmane itself checks only the certificate, so check GOLDMANE_HOST and anything in between (a proxy or a service mesh)';
    default:
      return `${SEE_LOGS}, and that GOLDMANE_HOST is the address of a Goldmane of Calico 3.30 or newer`;
  }
}
