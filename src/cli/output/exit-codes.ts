/** 0 is success. Scripts rely on these; docs/commands.md lists them. */
export const exitCodes = {
  /** The command failed: the database, Temporal or Goldmane could not be queried. */
  failure: 1,
  /** Wrong options, arguments or settings. */
  usage: 2,
  /** The result needs attention, for example a policy that would deny observed traffic. */
  finding: 3,
} as const;
