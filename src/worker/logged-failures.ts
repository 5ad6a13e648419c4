import type { Logger } from 'pino';

/** Logs why a repeated check fails: once, and again when the reason changes or the check fails again after a success. */
export class LoggedFailures {
  readonly #log: Logger;
  /** By check, the reason that was logged and is not resolved yet. */
  readonly #reasons = new Map<string, string>();

  constructor(log: Logger) {
    this.#log = log;
  }

  failed(check: string, reason: string): void {
    if (this.#reasons.get(check) === reason) return;
    this.#reasons.set(check, reason);
    this.#log.warn({ check, reason }, 'A check failed; retrying');
  }

  passed(check: string): void {
    this.#reasons.delete(check);
  }
}
