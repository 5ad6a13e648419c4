import { writeFile } from 'node:fs/promises';
import { errorCode } from '../../failure/thrown.ts';
import { usageFailure } from '../input/usage-error.ts';

/** Writes the file that `--output` names. @throws UsageFailure */
export async function writeOutput(path: string, text: string): Promise<void> {
  await writeFile(path, text).catch((error: unknown) => {
    throw usageFailure(
      '--output',
      `${path} cannot be written (${errorCode(error, 'unknown error')}); use another file`,
    );
  });
}
