import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type WorkflowBundleOption } from '@temporalio/worker';

const tracingInterceptors = '@temporalio/interceptors-opentelemetry/lib/workflow-interceptors';
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';

/** @param isTraced whether workflows record OpenTelemetry spans */
export function bundlePath(isTraced: boolean): string {
  return fileURLToPath(new URL(`../workflow-bundle${isTraced ? '-traced' : ''}.js`, import.meta.url));
}

/**
 * The bundle from the build or, in development, one built now in a few seconds.
 * @param encodesFailures whether failure messages are moved into payloads, which the codec encrypts
 */
export async function workflowBundle({
  isTraced,
  encodesFailures,
}: {
  isTraced: boolean;
  encodesFailures: boolean;
}): Promise<WorkflowBundleOption> {
  const codePath = bundlePath(isTraced);
  if (!encodesFailures && existsSync(codePath)) return { codePath };
  const { code } = existsSync(codePath)
    ? { code: await readFile(codePath, 'utf8') }
    : await makeWorkflowBundle({ isTraced });
  // On the first line, so that the source map stays valid.
  return { code: encodesFailures ? `globalThis.flowTrailEncodesFailures=true;${code}` : code };
}

/** @param workflows the folder of the workflows; by default that of this version */
export async function makeWorkflowBundle({
  isTraced = false,
  workflows = new URL('../workflows/', import.meta.url),
}: { isTraced?: boolean; workflows?: URL } = {}): Promise<{ code: string }> {
  const pathOf = (name: string) => fileURLToPath(new URL(`${name}.${extension}`, workflows));
  const { code } = await bundleWorkflowCode({
    workflowsPath: pathOf('index'),
    workflowInterceptorModules: [
      pathOf('interceptors'),
      ...(isTraced ? [createRequire(import.meta.url).resolve(tracingInterceptors)] : []),
    ],
    // Only for payloads inside workflows: activities receive what workflows sent, and workflows validate their results.
    payloadConverterPath: pathOf('payload-converter'),
    failureConverterPath: pathOf('failure-converter'),
    // Each workflow thread decodes the whole map. Lines without columns and sources are sufficient for stack traces.
    webpackConfigHook: (config) => ({ ...config, devtool: 'inline-nosources-cheap-module-source-map' }),
    logger: { log() {}, trace() {}, debug() {}, info() {}, warn: console.warn, error: console.error },
  });
  return { code: escapeNonAscii(code) };
}

/**
 * Because of one character beyond Latin-1, V8 would store the bundle in two bytes per character. Comments and strings of
 * libraries contain such characters; an escape sequence has the same meaning there.
 */
function escapeNonAscii(code: string): string {
  return code.replaceAll(/[^\0-\xff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
