import { counted } from '../text/counted.ts';
import type { Crashes } from '../trail/workers/worker-processes.ts';

/** Fewer crashes may be caused by evictions, a lost node or an operator. */
const crashesInLoop = 3;

/** Finding about workers that repeatedly end unexpectedly; both texts are sentences with full stops. */
interface CrashLoop {
  what: string;
  /** The cause, if known, and what to do. */
  cause: string;
}

/** @returns undefined if the workers did not end unexpectedly, or only once or twice. Pure. */
export function crashLoopOf(
  { count, lastAt, failure }: Crashes,
  formatTime: (time: Date) => string,
): CrashLoop | undefined {
  if (count < crashesInLoop || !lastAt) return undefined;
  return {
    what: `${counted(count, 'worker process', 'worker processes')} ended unexpectedly in the last 30 minutes, the last one at ${formatTime(lastAt)}.`,
    cause:
      failure === undefined
        ? 'They were killed or ran out of memory. Check the end of the log of the previous container (kubectl logs --previous) and its last state (kubectl describe pod: OOMKilled); for “heap out of memory” or OOMKilled, give the worker more memory.'
        : `The last error was: ${failure.replace(/(?<![.\s])[.\s]+$/, '')}. Its log contains the stack trace (kubectl logs --previous).`,
  };
}
