import { once } from 'node:events';
import { createServer } from 'node:net';
import { makeTelemetryFilterString, Runtime } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import { temporalLogger } from './logging.ts';

/** While Temporal is unavailable, every poller logs this at each attempt; report.ts logs it once, with what to do. */
const coreLogFilter = `${makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' })},temporalio_client::retry=ERROR`;
const portTries = 5;

interface InstalledRuntime {
  runtime: Runtime;
  /** Of the Prometheus exporter on 127.0.0.1; `serveMetrics` makes it reachable. */
  exporterPort: number;
}

/** Installs the SDK's runtime with its Prometheus exporter on a free loopback port. */
export async function installRuntime(
  { clusterName }: Pick<Config, 'clusterName'>,
  log: Logger,
): Promise<InstalledRuntime> {
  for (let left = portTries; ; left -= 1) {
    // The SDK does not report which port it got for 0.
    const exporterPort = await freeLoopbackPort();
    try {
      const runtime = Runtime.install({
        logger: temporalLogger(log),
        telemetryOptions: {
          logging: { filter: coreLogFilter, forward: {} },
          metrics: {
            ...(clusterName === '' ? {} : { globalTags: { cluster: clusterName } }),
            prometheus: {
              bindAddress: `127.0.0.1:${exporterPort}`,
              countersTotalSuffix: true,
              unitSuffix: true,
              useSecondsForDurations: true,
            },
          },
        },
      });
      return { runtime, exporterPort };
    } catch (error) {
      // Another process may have taken the port in the meantime.
      if (left <= 1) throw error;
    }
  }
}

async function freeLoopbackPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || !address) throw new Error('no loopback port is free');
  return address.port;
}
