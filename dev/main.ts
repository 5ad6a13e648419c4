import { watchStarter } from './ancestors.ts';
import { killAllOwned } from './owned-process.ts';
import { openSession } from './session.ts';
import { start } from './start.ts';
import { isStartFailure } from './start-failure.ts';

/** `npm start`: runs the whole stack on one machine. */
const session = openSession();
const stopWatching = await watchStarter((name) => session.end(`The parent process ${name} exited`));
try {
  await start(session);
} catch (error) {
  // Failures during shutdown are a consequence of the shutdown.
  if (!session.signal.aborted) {
    process.exitCode = 1;
    explain(error);
    session.end('Start failed');
  }
} finally {
  stopWatching();
  await session.parts.stopAll(session.log);
  // Children that an interrupted start had not added to the session's parts yet.
  await killAllOwned();
  session.log('All parts stopped');
}
process.exit();

function explain(error: unknown): void {
  if (isStartFailure(error)) process.stderr.write(`\n${error.message}\n\n`);
  else
    process.stderr.write(`\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n\n`);
}
