import type { Fault } from './fault.ts';

/** Faults of connections. */
export const linkFaults: readonly Fault[] = [
  {
    name: 'connections to Goldmane go silent',
    run: async (installation) => {
      installation.servers.goldmane.blackHole();
      await installation.pass(250);
    },
  },
  {
    name: 'no connection to Goldmane',
    run: async (installation) => {
      installation.servers.goldmane.down();
      await installation.pass(500);
      installation.servers.goldmane.up();
    },
  },
  {
    name: 'slow link to Goldmane',
    run: async (installation) => {
      installation.servers.goldmane.slow({ bytes: 4_096, everyMs: 100 });
      await installation.pass(400);
      installation.servers.goldmane.slow(undefined);
    },
  },
  {
    name: 'connections to PostgreSQL go silent',
    run: async (installation) => {
      installation.servers.database.proxy.blackHole();
      await installation.pass(250);
    },
  },
  {
    name: 'no connection to PostgreSQL',
    run: async (installation) => {
      installation.servers.database.proxy.down();
      await installation.pass(500);
      installation.servers.database.proxy.up();
    },
  },
  {
    name: 'slow link to PostgreSQL',
    run: async (installation) => {
      installation.servers.database.proxy.slow({ bytes: 16_384, everyMs: 100 });
      await installation.pass(400);
      installation.servers.database.proxy.slow(undefined);
    },
  },
  {
    name: 'reply to a commit lost',
    run: async (installation) => {
      const statement = installation.random() < 0.5 ? 'insert into edge as e' : 'insert into flow_fact_day';
      void installation.servers.database.withholdCommit(statement);
      await installation.pass(250);
    },
  },
];
