import { status } from '@grpc/grpc-js';

export type GrpcStatusName = keyof typeof status;

/** Ends a call with this status; grpc-js reads `code` and `details`. */
export class GrpcError extends Error {
  override readonly name = 'GrpcError';
  readonly code: status;
  readonly details: string;

  constructor(name: GrpcStatusName, details: string) {
    super(details);
    this.code = status[name];
    this.details = details;
  }
}
