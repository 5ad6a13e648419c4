/** 0 is success. Scripts rely on these; docs/commands.md lists them. */
export const exitCodes = {
  /** The question could not be answered: database, Temporal or Goldmane failed. */
  failure: 1,
  /** Wrong options, arguments or settings. */
  usage: 2,
  /** Answered, and the answer needs attention: for example a policy that would deny observed traffic. */
  finding: 3,
} as const;
