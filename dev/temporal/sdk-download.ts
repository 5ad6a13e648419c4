/**
 * Runs in a process of its own, because the SDK's download cannot be cancelled: downloads the Temporal CLI into
 * the given directory, as the SDK's test environment does it, and ends the server that comes with it.
 * Arguments: directory, version.
 */
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { TestWorkflowEnvironment } from '@temporalio/testing';

const [downloadDir, version] = process.argv.slice(2);
if (downloadDir === undefined || version === undefined) throw new Error('Arguments: directory, version');

Runtime.install({ logger: new DefaultLogger('ERROR') });
try {
  const environment = await TestWorkflowEnvironment.createLocal({
    server: { executable: { type: 'cached-download', downloadDir, version } },
  });
  await environment.teardown();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
