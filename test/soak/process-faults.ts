import { formatClockScale } from '../../src/time/clock.ts';
import type { Fault } from './fault.ts';

const skewSeconds = 300;

/** What happens to workers. */
export const processFaults: readonly Fault[] = [
  {
    name: 'worker killed with -9 and started again',
    run: async (stage) => {
      await stage.current()?.kill();
      await stage.pass(200);
      await stage.startWorker();
    },
  },
  {
    name: 'worker ended by SIGTERM and started again',
    run: async (stage) => {
      // Not 0 if the database does not answer: the worker then ends before its last merge does.
      await stage.current()?.terminate();
      await stage.startWorker();
    },
  },
  {
    name: 'worker stopped (SIGSTOP) and continued',
    run: async (stage) => {
      const worker = stage.current();
      worker?.process.signal('SIGSTOP');
      await stage.pass(300);
      worker?.process.signal('SIGCONT');
    },
  },
  {
    name: 'two workers, the older one killed',
    run: async (stage) => {
      const older = stage.current();
      await stage.startWorker();
      await stage.pass(150);
      await older?.kill();
    },
  },
  {
    name: "worker's clock wrong by up to five minutes",
    run: async (stage) => {
      const { scale } = stage.world.clock;
      const aheadMs = (stage.random() * 2 - 1) * skewSeconds * 1000;
      await stage.current()?.terminate();
      const skewed = await stage.startWorker({
        FLOW_TRAIL_CLOCK: formatClockScale({ ...scale, anchorMs: scale.anchorMs + aheadMs }),
      });
      await stage.pass(400);
      await skewed.kill();
      await stage.startWorker();
    },
  },
];
