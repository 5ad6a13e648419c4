import { expect, test } from 'vitest';
import { groupNewPorts } from '../../../src/policy/new-ports.ts';
import type { NewConnection } from '../../../src/trail/facts/new-connections.ts';

const time = (minute: number) => new Date(Date.UTC(2026, 0, 15, 0, minute));

function connection(dst: string, port: number, minute: number): NewConnection {
  return {
    src: { kind: 'workload', ns: 'shop', identity: '' },
    dst:
      dst === 'pub'
        ? { kind: 'network', ns: '', identity: 'pub' }
        : { kind: 'workload', ns: dst, identity: '' },
    protocol: 'tcp',
    port,
    action: 'allow',
    firstSeen: time(minute),
    lastSeen: time(minute + 1),
    flowCount: '9007199254740993',
  };
}

test('the ports of a pair are one row; those of a new edge are left out', () => {
  const found = groupNewPorts(
    [
      connection('db', 22, 1),
      connection('db', 80, 3),
      connection('cache', 6379, 4),
      connection('pub', 443, 5),
    ],
    ({ dstNs }) => dstNs === 'cache',
  );
  expect(found).toEqual([
    expect.objectContaining({ dst: 'pub', ports: ['tcp 443'] }),
    {
      ...{ src: 'shop', dst: 'db', ports: ['tcp 22', 'tcp 80'], action: 'allow' },
      ...{ firstSeen: time(1), lastSeen: time(4), flowCount: '18014398509481986' },
    },
  ]);
});
