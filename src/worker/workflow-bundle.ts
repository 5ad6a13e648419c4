import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type WorkflowBundleOption } from '@temporalio/worker';

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';

export const bundlePath = fileURLToPath(new URL('../workflow-bundle.js', import.meta.url));
/** The bundle that the build made, or, in development, one made now in a few seconds. */
export async function workflowBundle(): Promise<WorkflowBundleOption> {
  if (existsSync(bundlePath)) return { codePath: bundlePath };
  return makeWorkflowBundle();
}

/** @param workflows the folder of the workflows; by default that of this version */
export function makeWorkflowBundle(
  workflows = new URL('../workflows/', import.meta.url),
): Promise<{ code: string }> {
  const pathOf = (name: string) => fileURLToPath(new URL(`${name}.${extension}`, workflows));
  return bundleWorkflowCode({
    workflowsPath: pathOf('index'),
    workflowInterceptorModules: [pathOf('interceptors')],
    // Only for payloads inside workflows: activities get what workflows sent, and their results are checked there.
    payloadConverterPath: pathOf('payload-converter'),
    logger: { log() {}, trace() {}, debug() {}, info() {}, warn: console.warn, error: console.error },
  });
}
