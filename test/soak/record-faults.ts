import { bucketNow } from '../support/faults.ts';
import { until } from '../support/poll.ts';
import type { Fault } from './fault.ts';

const scannedPorts = 5_000;
/** FlowResults that no healthy server sends: garbage, no key, an empty key, cut in the middle. */
const malformed = [
  Buffer.from('ffffffffffffffffffff', 'hex'),
  Buffer.from([0x08, 0x01]),
  Buffer.from([0x08, 0x01, 0x12, 0x02, 0x0a, 0x00]),
  Buffer.from([0x12, 0x7f, 0x0a]),
];

/** What the cluster and its nodes send. */
export const recordFaults: readonly Fault[] = [
  {
    name: `port scan: ${scannedPorts.toLocaleString('en-US')} ports in one bucket`,
    run: async (stage) => {
      const startSeconds = bucketNow(stage.world);
      stage.world.traffic.add(
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
      await stage.pass(60);
    },
  },
  {
    name: 'malformed records among others',
    run: async (stage) => {
      await until(
        'the ring has the bucket',
        () => stage.world.goldmane.faults.injectRecords(bucketNow(stage.world), malformed) || undefined,
      );
      stage.malformedRecords += malformed.length;
      await stage.pass(60);
    },
  },
  {
    name: "nodes' clocks behind Goldmane's by up to two minutes",
    run: async (stage) => {
      stage.world.traffic.nodesAheadSeconds = -stage.random() * 120;
      await stage.pass(300);
      stage.world.traffic.nodesAheadSeconds = 0;
    },
  },
  {
    name: "nodes' clocks ahead of Goldmane's by up to 15 s",
    run: async (stage) => {
      stage.world.traffic.nodesAheadSeconds = stage.random() * 15;
      await stage.pass(300);
      stage.world.traffic.nodesAheadSeconds = 0;
    },
  },
];
