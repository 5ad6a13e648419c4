import type { Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import { dayMs } from '../time/units.ts';
import type { Config } from '../config/config.ts';
import type { Temporal } from '../temporal/worker-connection.ts';
import type { LoggedFailures } from './logged-failures.ts';
import type { WorkerMetrics } from './metrics.ts';

interface CredentialDeps {
  config: Config;
  temporal: Temporal;
  workers: readonly Worker[];
  log: Logger;
  metrics: WorkerMetrics;
}

/** Keeps the connection to Temporal on the certificates, API key and codec keys that are in the files now. */
export class CredentialRefresh {
  readonly #deps: CredentialDeps;
  readonly #failures: LoggedFailures;
  /** Expiry of the certificate of the last warning, milliseconds since the epoch. */
  #warnedOf = 0;

  constructor(deps: CredentialDeps, failures: LoggedFailures) {
    this.#deps = deps;
    this.#failures = failures;
  }

  /** Never rejects because of the files or of Temporal: such a failure is logged, and the current ones stay in use. */
  async refresh(): Promise<void> {
    await this.#refreshConnection();
    await this.#reloadKeys();
    this.#checkCertificate();
  }

  /** While new credentials do not work, the current connection stays, so a failure alone does not end readiness. */
  async #refreshConnection(): Promise<void> {
    const { temporal, workers, log, metrics } = this.#deps;
    try {
      const isReplaced = await temporal.refresh(({ native }) => {
        for (const worker of workers) worker.connection = native;
      });
      this.#failures.passed('credentials');
      if (!isReplaced) return;
      metrics.connectionReplaced();
      log.info({ address: temporal.address }, 'Connected to Temporal with the changed credentials');
    } catch (error) {
      this.#failures.failed('credentials', (await temporal.explain(error)).message);
    }
  }

  /** While the file is invalid, the current keys stay in use. */
  async #reloadKeys(): Promise<void> {
    const { temporal, log } = this.#deps;
    try {
      if (temporal.codec.keys?.reload() === true)
        log.info(
          { keys: temporal.codec.keys.ids },
          'The keys in TEMPORAL_CODEC_KEY_FILE changed; the first one encrypts',
        );
      this.#failures.passed('codec keys');
    } catch (error) {
      this.#failures.failed('codec keys', (await temporal.explain(error)).message);
    }
  }

  /** Warns once before each client certificate expires. TLS uses the machine's clock. */
  #checkCertificate(): void {
    const { temporal, config, log, metrics } = this.#deps;
    const { certificateNotAfter: notAfter } = temporal;
    if (!notAfter) return;
    const daysLeft = (notAfter.getTime() - Date.now()) / dayMs;
    metrics.temporalCertificateDaysLeft(daysLeft);
    if (daysLeft > config.jobs.certificates.warnDays || this.#warnedOf === notAfter.getTime()) return;
    this.#warnedOf = notAfter.getTime();
    log.warn(
      { notAfter: notAfter.toISOString(), daysLeft: Math.floor(daysLeft) },
      'The client certificate for Temporal expires soon: renew the files of TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH',
    );
  }
}
