import { startFailure, type StartFailure } from '../start-failure.ts';

/** Finds the cause in the last lines of the log. @param what the failed operation */
export function diagnose(lines: readonly string[], what: string): StartFailure {
  const text = lines.join('\n');
  const cause =
    lines.findLast((line) => /FATAL|PANIC|error|could not/i.test(line)) ?? lines.at(-1) ?? 'no output';
  const message = `${what}: ${cause.trim()}`;
  if (/Address already in use|could not create any TCP/.test(text)) {
    return startFailure(message, 'Free the port, or let npm start choose another.', { kind: 'port' });
  }
  if (/pre-existing shared memory block|lock file "postmaster.pid" already exists/.test(text)) {
    return startFailure(message, 'An earlier server still uses this data; stop it.', {
      kind: 'earlier_server',
    });
  }
  if (/No space left on device/.test(text)) {
    return startFailure(message, 'The disk is full: free up some space (100 MB is enough).');
  }
  if (/Permission denied|must be owned|wrong ownership/.test(text)) {
    return startFailure(
      message,
      'The data belongs to another user: use the same user as before, or delete .flow-trail/postgres to start with an empty database.',
    );
  }
  return startFailure(message, 'See the end of its log (.flow-trail/logs/postgres.log).');
}
