import { writeFile } from 'node:fs/promises';
import { bundlePath, makeWorkflowBundle } from './workflow-bundle.ts';

const { code } = await makeWorkflowBundle();
await writeFile(bundlePath, code);
