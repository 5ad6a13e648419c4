import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { makeWorkflowBundle } from '../../src/worker/workflow-bundle.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** A replacement in the supervisor's source, which must contain `from`. */
interface SourceChange {
  from: string;
  to: string;
}

/**
 * Creates a copy of the built worker with a changed supervisor, as in another release.
 * @param folder an empty folder for the copy
 * @returns the workflow bundle of the copy
 */
export async function makeRelease(folder: string, { from, to }: SourceChange): Promise<{ code: string }> {
  await mkdir(folder, { recursive: true });
  for (const name of ['node_modules', 'migrations', 'proto', 'package.json'])
    await symlink(join(root, name), join(folder, name));
  await cp(join(root, 'dist'), join(folder, 'dist'), { recursive: true });
  await cp(join(root, 'src'), join(folder, 'src'), { recursive: true });
  const supervisor = join(folder, 'src/workflows/supervise-trail.ts');
  const source = await readFile(supervisor, 'utf8');
  if (!source.includes(from))
    throw new Error('the supervisor no longer contains the text that the test replaces');
  await writeFile(supervisor, source.replace(from, to));
  const bundle = await makeWorkflowBundle({ workflows: pathToFileURL(join(folder, 'src/workflows/')) });
  await writeFile(join(folder, 'dist/workflow-bundle.js'), bundle.code);
  return bundle;
}
