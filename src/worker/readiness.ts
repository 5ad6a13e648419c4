const conditions = [
  'starting',
  'shutting down',
  'polling',
  'supervisor',
  'schedules',
  'database',
  'readers',
] as const;
export type Condition = (typeof conditions)[number];

/** The conditions that keep the worker from being ready, each with its reason. */
export class Readiness {
  readonly #reasons = new Map<Condition, string>();

  /** @param reason undefined: the condition is met */
  set(condition: Condition, reason: string | undefined): void {
    if (reason === undefined) this.#reasons.delete(condition);
    else this.#reasons.set(condition, reason);
  }

  /** All distinct reasons, one line each; undefined when the worker is ready. */
  notReady(): string | undefined {
    const lines = new Set(conditions.flatMap((condition) => this.#reasons.get(condition) ?? []));
    return lines.size === 0 ? undefined : [...lines].join('\n');
  }
}
