import { formatClockScale } from '../../src/time/clock.ts';
import type { Fault } from './fault.ts';

const skewSeconds = 300;

/** Faults of workers. */
export const processFaults: readonly Fault[] = [
  {
    name: 'worker killed (SIGKILL) and restarted',
    run: async (installation) => {
      await installation.current()?.kill();
      await installation.pass(200);
      await installation.startWorker();
    },
  },
  {
    name: 'worker terminated (SIGTERM) and restarted',
    run: async (installation) => {
      // The exit code is not checked: if the database does not respond, the worker exits before its last merge completes.
      await installation.current()?.terminate();
      await installation.startWorker();
    },
  },
  {
    name: 'worker suspended (SIGSTOP) and resumed',
    run: async (installation) => {
      const worker = installation.current();
      worker?.process.signal('SIGSTOP');
      await installation.pass(300);
      worker?.process.signal('SIGCONT');
    },
  },
  {
    name: 'two workers, the older one killed',
    run: async (installation) => {
      const older = installation.current();
      await installation.startWorker();
      await installation.pass(150);
      await older?.kill();
    },
  },
  {
    name: "worker's clock off by up to five minutes",
    run: async (installation) => {
      const { scale } = installation.world.clock;
      const aheadMs = (installation.random() * 2 - 1) * skewSeconds * 1000;
      await installation.current()?.terminate();
      const skewed = await installation.startWorker({
        FLOW_TRAIL_CLOCK: formatClockScale({ ...scale, anchorMs: scale.anchorMs + aheadMs }),
      });
      await installation.pass(400);
      await skewed.kill();
      await installation.startWorker();
    },
  },
];
