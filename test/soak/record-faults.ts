import { bucketNow } from '../support/faults.ts';
import { until } from '../support/poll.ts';
import type { Fault } from './fault.ts';

const scannedPorts = 5_000;
/** FlowResults that no healthy server sends: invalid bytes, no key, an empty key, truncated. */
const malformed = [
  Buffer.from('ffffffffffffffffffff', 'hex'),
  Buffer.from([0x08, 0x01]),
  Buffer.from([0x08, 0x01, 0x12, 0x02, 0x0a, 0x00]),
  Buffer.from([0x12, 0x7f, 0x0a]),
];

/** Faults in the data from the cluster and its nodes. */
export const recordFaults: readonly Fault[] = [
  {
    name: `port scan: ${scannedPorts.toLocaleString('en-US')} ports in one bucket`,
    run: async (installation) => {
      const startSeconds = bucketNow(installation.world);
      installation.world.traffic.add(
        Array.from({ length: scannedPorts }, (_, index) => ({
          startSeconds,
          srcName: 'scanner-*',
          srcNamespace: 'team-1',
          dstName: 'db-*',
          dstNamespace: 'store-1',
          dstPort: 10_000 + index,
          reporter: 'src' as const,
          action: 'deny' as const,
        })),
      );
      await installation.pass(60);
    },
  },
  {
    name: 'malformed records among valid ones',
    run: async (installation) => {
      await until(
        'the ring has the bucket',
        () =>
          installation.world.goldmane.faults.injectRecords(bucketNow(installation.world), malformed) ||
          undefined,
      );
      installation.malformedRecords += malformed.length;
      await installation.pass(60);
    },
  },
  {
    name: "nodes' clocks behind Goldmane's by up to two minutes",
    run: async (installation) => {
      installation.world.traffic.nodesAheadSeconds = -installation.random() * 120;
      await installation.pass(300);
      installation.world.traffic.nodesAheadSeconds = 0;
    },
  },
  {
    name: "nodes' clocks ahead of Goldmane's by up to 15 s",
    run: async (installation) => {
      installation.world.traffic.nodesAheadSeconds = installation.random() * 15;
      await installation.pass(300);
      installation.world.traffic.nodesAheadSeconds = 0;
    },
  },
];
