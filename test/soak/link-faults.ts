import type { Fault } from './fault.ts';

/** What happens to connections. */
export const linkFaults: readonly Fault[] = [
  {
    name: 'connections to Goldmane go silent',
    run: async (stage) => {
      stage.servers.goldmane.blackHole();
      await stage.pass(250);
    },
  },
  {
    name: 'no connection to Goldmane',
    run: async (stage) => {
      stage.servers.goldmane.down();
      await stage.pass(500);
      stage.servers.goldmane.up();
    },
  },
  {
    name: 'slow link to Goldmane',
    run: async (stage) => {
      stage.servers.goldmane.slow({ bytes: 4_096, everyMs: 100 });
      await stage.pass(400);
      stage.servers.goldmane.slow(undefined);
    },
  },
  {
    name: 'connections to PostgreSQL go silent',
    run: async (stage) => {
      stage.servers.database.proxy.blackHole();
      await stage.pass(250);
    },
  },
  {
    name: 'no connection to PostgreSQL',
    run: async (stage) => {
      stage.servers.database.proxy.down();
      await stage.pass(500);
      stage.servers.database.proxy.up();
    },
  },
  {
    name: 'slow link to PostgreSQL',
    run: async (stage) => {
      stage.servers.database.proxy.slow({ bytes: 16_384, everyMs: 100 });
      await stage.pass(400);
      stage.servers.database.proxy.slow(undefined);
    },
  },
  {
    name: 'commit whose answer is lost',
    run: async (stage) => {
      const statement = stage.random() < 0.5 ? 'insert into edge as e' : 'insert into flow_fact_day';
      void stage.servers.database.withholdCommit(statement);
      await stage.pass(250);
    },
  },
];
