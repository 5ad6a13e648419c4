import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { freePort } from '../../../dev/ports.ts';
import { untilReady } from '../../support/readyz.ts';
import { createWorld } from '../../support/world.ts';
import { claimHolds } from '../finding.ts';
import { listeningOf } from './listening.ts';

const security = readFileSync(fileURLToPath(new URL('../../../docs/security.md', import.meta.url)), 'utf8');
const loopback = '127.0.0.1';

/** The settings in the first column of the table of ports. */
function documentedPorts(): string[] {
  const [, section = ''] = /\n## Listening ports\n([\s\S]*?)(\n## |$)/.exec(security) ?? [];
  return [...section.matchAll(/^\| `([A-Z_]+)`/gm)].map(([, name = '']) => name);
}

test.skipIf(process.platform !== 'linux')(
  'ports: the worker listens only on the ports in docs/security.md',
  async (context) => {
    const world = await createWorld({ speed: 1 });
    const mapPort = await freePort();
    const worker = await world.startWorker({ MAP_PORT: String(mapPort), MAP_HOST: loopback });
    await untilReady(worker);
    const sockets = await listeningOf(worker.process.pid);
    const values: Record<string, number> = {
      HTTP_PORT: worker.httpPort,
      METRICS_PORT: worker.metricsPort,
      MAP_PORT: mapPort,
    };
    expect(documentedPorts().toSorted()).toEqual(Object.keys(values).toSorted());
    const others = sockets.filter(({ port }) => !Object.values(values).includes(port));
    // The exporter of Temporal's SDK, behind METRICS_PORT.
    expect(others).toEqual([{ protocol: 'tcp', address: loopback, port: expect.any(Number) }]);
    expect(sockets).toHaveLength(Object.keys(values).length + others.length);
    claimHolds(
      context,
      `${sockets.length} sockets: ${Object.keys(values).join(', ')}, and the exporter on loopback`,
    );
  },
);
