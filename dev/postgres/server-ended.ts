import { StartFailure } from '../start-failure.ts';

/** The server or initdb ended by itself. `reason` is what starting again can do something about. */
export class ServerEnded extends StartFailure {
  readonly reason: 'port' | 'leaving' | 'other';

  constructor(message: string, cure: string, reason: 'port' | 'leaving' | 'other') {
    super(message, cure);
    this.reason = reason;
  }
}

/** Finds the cause in the last lines of its log; `what` says what was going on. */
export function diagnose(lines: readonly string[], what: string): ServerEnded {
  const text = lines.join('\n');
  const told =
    lines.findLast((line) => /FATAL|PANIC|error|could not/i.test(line)) ?? lines.at(-1) ?? 'no word';
  const message = `${what}: ${told.trim()}`;
  if (/Address already in use|could not create any TCP/.test(text)) {
    return new ServerEnded(message, 'Free the port, or let npm start choose another.', 'port');
  }
  if (/pre-existing shared memory block|lock file "postmaster.pid" already exists/.test(text)) {
    return new ServerEnded(message, 'An earlier server still runs on this data; end it.', 'leaving');
  }
  if (/No space left on device/.test(text)) {
    return new ServerEnded(message, 'The disk is full: free some space (100 MB is enough).', 'other');
  }
  if (/Permission denied|must be owned|wrong ownership/.test(text)) {
    return new ServerEnded(
      message,
      'The data belongs to another user: use the same user as before, or delete .flow-trail/postgres to begin anew.',
      'other',
    );
  }
  return new ServerEnded(
    message,
    'The last lines of its log say more (.flow-trail/logs/postgres.log).',
    'other',
  );
}
