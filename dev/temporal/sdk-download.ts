/**
 * Downloads the Temporal CLI into the given directory with the SDK's test environment, and stops the server that this
 * starts. Runs in a separate process, because the SDK's download cannot be cancelled. Arguments: directory, version.
 */
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { errorText } from '../../src/failure/thrown.ts';

const [downloadDir, version] = process.argv.slice(2);
if (downloadDir === undefined || version === undefined) throw new Error('Arguments: directory, version');

Runtime.install({ logger: new DefaultLogger('ERROR') });
try {
  const environment = await TestWorkflowEnvironment.createLocal({
    server: { executable: { type: 'cached-download', downloadDir, version } },
  });
  await environment.teardown();
} catch (error) {
  process.stderr.write(`${errorText(error)}\n`);
  process.exitCode = 1;
}
