import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type WorkflowBundleOption } from '@temporalio/worker';

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';

export const bundlePath = fileURLToPath(new URL('../workflow-bundle.js', import.meta.url));
/** Only for payloads inside workflows: activities get what workflows sent, and their results are checked there. */
const payloadConverterPath = fileURLToPath(
  new URL(`../workflows/payload-converter.${extension}`, import.meta.url),
);

/** The bundle that the build made, or, in development, one made now in a few seconds. */
export async function workflowBundle(): Promise<WorkflowBundleOption> {
  if (existsSync(bundlePath)) return { codePath: bundlePath };
  return makeWorkflowBundle();
}

export function makeWorkflowBundle(): Promise<{ code: string }> {
  return bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL(`../workflows/index.${extension}`, import.meta.url)),
    workflowInterceptorModules: [
      fileURLToPath(new URL(`../workflows/interceptors.${extension}`, import.meta.url)),
    ],
    payloadConverterPath,
    logger: { log() {}, trace() {}, debug() {}, info() {}, warn: console.warn, error: console.error },
  });
}
