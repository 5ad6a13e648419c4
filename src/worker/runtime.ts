import { makeTelemetryFilterString, Runtime } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import { portProblem, socketAddress } from './http.ts';
import { temporalLogger } from './logging.ts';

/** While Temporal is unavailable every poller logs it at each try; report.ts logs it once, with the cure. */
const coreLogFilter = `${makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' })},temporalio_client::retry=ERROR`;

/** Installs the SDK's runtime with its Prometheus exporter. @throws ConfigFailure when the port is taken */
export function installRuntime({ listenHost, metricsPort, clusterName }: Config, log: Logger): Runtime {
  try {
    return Runtime.install({
      logger: temporalLogger(log),
      telemetryOptions: {
        logging: { filter: coreLogFilter, forward: {} },
        metrics: {
          ...(clusterName === '' ? {} : { globalTags: { cluster: clusterName } }),
          prometheus: {
            bindAddress: socketAddress(listenHost, metricsPort),
            countersTotalSuffix: true,
            unitSuffix: true,
            useSecondsForDurations: true,
          },
        },
      },
    });
  } catch (error) {
    throw portProblem('METRICS_PORT', listenHost, metricsPort, error);
  }
}
