import { isMainThread } from 'node:worker_threads';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

// Loaded into the worker with --import: on SIGHUP, it collects garbage and prints the live memory.
if (isMainThread) {
  setFlagsFromString('--expose-gc');
  process.on('SIGHUP', () => {
    // A context takes memory, so that there is none before the first signal.
    const collect: unknown = runInNewContext('gc');
    if (typeof collect === 'function') Reflect.apply(collect, undefined, []);
    const { heapUsed, external } = process.memoryUsage();
    process.stdout.write(`${JSON.stringify({ liveBytes: heapUsed + external })}\n`);
  });
}
