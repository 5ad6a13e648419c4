import type { Buffer } from 'node:buffer';
import { status, type Client, type ServiceError } from '@grpc/grpc-js';

/** A failed call, with its gRPC status or the closest one. */
export class CallError extends Error {
  readonly code: status;
  readonly details: string;

  constructor(code: status, details: string) {
    super(`${status[code]}: ${details}`);
    this.name = 'CallError';
    this.code = code;
    this.details = details;
  }
}

interface CallLimits {
  /** Real milliseconds. */
  timeoutMs: number;
  signal: AbortSignal;
}

/**
 * A call with one raw message in each direction. Rejects with CallError, or the signal's reason. The call is cancelled when the
 * signal aborts; Goldmane ignores that once it is working on the call.
 */
export function callUnary(
  client: Client,
  path: string,
  request: Buffer,
  limits: CallLimits,
): Promise<Buffer> {
  const { timeoutMs, signal } = limits;
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = () => {
      reject(signal.reason);
      call.cancel();
    };
    const call = client.makeUnaryRequest(
      path,
      asIs,
      asIs,
      request,
      { deadline: Date.now() + timeoutMs },
      (error: ServiceError | null, answer: Buffer | undefined) => {
        signal.removeEventListener('abort', onAbort);
        if (error) reject(new CallError(error.code, error.details));
        else if (answer) resolve(answer);
        else reject(new CallError(status.INTERNAL, 'incomplete message: no response'));
      },
    );
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** Messages are encoded and decoded by the caller. */
function asIs(message: Buffer): Buffer {
  return message;
}
