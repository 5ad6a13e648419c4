import { beforeEach, expect } from 'vitest';
import { attempts, untilReadBy, untilMerged, untilLogged, bucketNow } from '../support/faults.ts';
import { fullTest } from '../support/full.ts';
import { until } from '../support/poll.ts';
import { createWorld, type World } from '../support/world.ts';

/** Far below the heartbeat timeout of the readers, five minutes. */
const limitMs = 180_000;

let world: World;
beforeEach(async () => {
  // In real time, so that the time-outs of Temporal and the workers are those of production.
  world = await createWorld({ speed: 1 });
});

for (const [how, signal] of [
  ['killed', 'SIGKILL'],
  // Its connections stay open but it does not answer, as after the loss of a machine.
  ['stopped', 'SIGSTOP'],
] as const)
  fullTest(
    `another worker takes over both readers from one that is ${how}, without a heartbeat timeout`,
    async () => {
      world.traffic.start(world.goldmane);
      const lost = await world.startWorker();
      await untilReadBy(lost, world);
      const other = await world.startWorker();
      await untilLogged(other, 'The worker is polling for work');
      await untilMerged(world, bucketNow(world));
      lost.process.signal(signal);
      const at = Date.now();
      const since = () => `${((Date.now() - at) / 1000).toFixed(1)} s`;
      await until(
        'both readers run in the other worker',
        async () => {
          const running = await attempts(world);
          return running.length === 2 &&
            running.every(({ worker }) => worker.startsWith(`${other.process.pid}@`))
            ? true
            : undefined;
        },
        limitMs,
      );
      process.stdout.write(`both readers taken over after ${since()}\n`);
      await untilLogged(other, 'The stream is open');
      await untilMerged(world, bucketNow(world));
      process.stdout.write(`merged again after ${since()}\n`);
      expect((await attempts(world)).map(({ lastFailure }) => lastFailure).join()).not.toContain('heartbeat');
      // Lets the frozen process exit.
      lost.process.signal('SIGCONT');
    },
  );
