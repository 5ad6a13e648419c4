import { killAllOwned } from './owned-process.ts';
import { Parts } from './parts.ts';
import { openTerminal, type Terminal } from './terminal.ts';

/** One Ctrl-C can arrive twice (from the terminal, and relayed by tsx); a real second one comes later than this. */
const SAME_KEYSTROKE_MS = 700;

/** One run of `npm start`: its output, its started parts, and its shutdown. */
export interface Session {
  readonly terminal: Terminal;
  readonly parts: Parts;
  /** Aborts when the run should end. */
  readonly signal: AbortSignal;
  /** A line with the time since the start. */
  readonly log: (line: string) => void;
  /** Prints the reason and stops all parts in order; a second call kills them at once. */
  readonly end: (why: string) => void;
}

/** Handles the signals of this process: Ctrl-C, SIGTERM, a closed terminal. */
export function openSession(): Session {
  const startedMs = Date.now();
  const terminal = openTerminal(process.stdout, process.env);
  const ending = new AbortController();
  let endingSinceMs = 0;

  const log = (line: string): void => {
    const seconds = ((Date.now() - startedMs) / 1000).toFixed(1).padStart(6);
    terminal.line(`${terminal.dim(`${seconds} s`)}  ${line}`);
  };
  const end = (why: string): void => {
    if (!ending.signal.aborted) {
      endingSinceMs = Date.now();
      terminal.block([]);
      log(`${why}: stopping all parts in order (repeat to stop at once)`);
      ending.abort(new Error(why));
    } else if (Date.now() - endingSinceMs > SAME_KEYSTROKE_MS) {
      void killAllOwned().finally(() => process.exit(1));
    }
  };

  process.on('SIGINT', () => end('Ctrl-C'));
  process.on('SIGTERM', () => end('SIGTERM'));
  process.on('SIGHUP', () => end('The terminal was closed'));
  // The process reading the output has exited.
  process.stdout.on('error', () => end('The output was closed'));
  process.on('uncaughtException', (error) => {
    process.exitCode = 1;
    process.stderr.write(`${error.stack ?? error.message}\n`);
    end('Unexpected error');
  });
  return { terminal, parts: new Parts(), signal: ending.signal, log, end };
}
