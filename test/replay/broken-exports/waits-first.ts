import { continueAsNew, proxyActivities, sleep } from '@temporalio/workflow';
import type { ExportActivities } from '../../../src/activities/index.ts';

const { exportFlows } = proxyActivities<ExportActivities>({ startToCloseTimeout: '7h' });

/** Broken on purpose: it waits before the first window. */
export async function superviseExport(): Promise<void> {
  await sleep('1s');
  await exportFlows({ windowMs: 1_000 });
  await continueAsNew<typeof superviseExport>();
}
