import { writeFile } from 'node:fs/promises';
import { bundlePath, makeWorkflowBundle } from './workflow-bundle.ts';

for (const isTraced of [false, true]) {
  const { code } = await makeWorkflowBundle({ isTraced });
  await writeFile(bundlePath(isTraced), code);
}
