/** Which system a failure comes from; also the prefix of its type in Temporal, for example `database_full`. */
type FailedSystem =
  | 'goldmane'
  | 'database'
  | 'slack'
  | 'temporal'
  /** The receiver of exported flow logs. */
  | 'receiver'
  /** The Kubernetes API. */
  | 'kubernetes'
  /** Environment variables. */
  | 'settings'
  /** Options and arguments of the command line. */
  | 'command'
  /** A run of a job that failed in Temporal. */
  | 'job'
  /** The local stack of `npm start`. */
  | 'stack';

interface FailureDetails<System extends FailedSystem, Kind extends string> {
  system: System;
  kind: Kind;
  /** What happened, with the value; no full stop at the end. */
  what: string;
  /** What to do about it; no full stop at the end. */
  cure: string;
  /** Whether a retry can succeed without human action: false only if the request itself is wrong. */
  retryable: boolean;
  cause?: unknown;
}

/**
 * What failed, why, and how to fix it; `message` contains both sentences. Never contains a secret or the content of a
 * file. Tests and callers check `system` and `kind`, never the text.
 */
export class Failure<System extends FailedSystem = FailedSystem, Kind extends string = string> extends Error {
  readonly system: System;
  readonly kind: Kind;
  readonly what: string;
  readonly cure: string;
  readonly retryable: boolean;

  constructor({ system, kind, what, cure, retryable, cause }: FailureDetails<System, Kind>) {
    super(sentences(what, cure), cause === undefined ? {} : { cause });
    this.name = 'Failure';
    this.system = system;
    this.kind = kind;
    this.what = what;
    this.cure = cure;
    this.retryable = retryable;
  }
}

export function isFailure(error: unknown): error is Failure {
  return error instanceof Failure;
}

export function isFailureOf<System extends FailedSystem>(
  system: System,
  error: unknown,
): error is Failure<System> {
  return isFailure(error) && error.system === system;
}

function sentences(...parts: readonly string[]): string {
  return parts
    .filter((part) => part !== '')
    .map((part) => `${part.charAt(0).toUpperCase()}${part.slice(1)}${/[.!?\n]$/.test(part) ? '' : '.'}`)
    .join(' ');
}
