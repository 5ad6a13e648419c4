import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { projectFolder, run } from './tools.ts';

type Import = [file: string, line: string];

const value = (specifier: string) => `import { thing } from '${specifier}';`;
const typeOnly = (specifier: string) => `import type { Thing } from '${specifier}';`;

const forbidden: Import[] = [
  ['src/clock.ts', value('./trail/merge.ts')],
  ['src/config.ts', value('./goldmane/target.ts')],
  ['src/names.ts', typeOnly('./workflows/index.ts')],
  ['src/goldmane/decode.ts', typeOnly('../trail/fold.ts')],
  ['src/goldmane/decode.ts', value('../activities/deps.ts')],
  ['src/goldmane/connection.ts', value('../config.ts')],
  ['src/trail/fold.ts', value('../goldmane/decode.ts')],
  ['src/trail/sql/merge.ts', value('../../goldmane/decode.ts')],
  ['src/trail/merge.ts', typeOnly('../reports/digest.ts')],
  ['src/trail/merge.ts', value('../activities/metrics.ts')],
  ['src/trail/merge.ts', value('../worker/logging.ts')],
  ['src/reports/digest.ts', value('../trail/edges.ts')],
  ['src/reports/digest.ts', typeOnly('../goldmane/decode.ts')],
  ['src/reports/digest.ts', value('../slack/post.ts')],
  ['src/slack/post.ts', typeOnly('../trail/edges.ts')],
  ['src/slack/post.ts', value('../reports/digest.ts')],
  ['src/activities/stream-flows.ts', value('../workflows/messages.ts')],
  ['src/activities/stream-flows.ts', value('../worker/http.ts')],
  ['src/activities/stream-flows.ts', value('../cli/output.ts')],
  ['src/activities/stream-flows.ts', value('../dev/certificates.ts')],
  ['src/workflows/supervise-trail.ts', value('../activities/index.ts')],
  ['src/workflows/supervise-trail.ts', typeOnly('../trail/merge.ts')],
  ['src/workflows/supervise-trail.ts', value('../config.ts')],
  ['src/workflows/supervise-trail.ts', value('../clock.ts')],
  ['src/workflows/supervise-trail.ts', value('node:crypto')],
  ['src/workflows/supervise-trail.ts', value('zod')],
  ['src/workflows/supervise-trail.ts', value('pg')],
  ['src/workflows/supervise-trail.ts', value('@grpc/grpc-js')],
  ['src/workflows/supervise-trail.ts', value('@temporalio/client')],
  ['src/workflows/supervise-trail.ts', value('@temporalio/worker')],
  ['src/worker/run-worker.ts', value('../cli/output.ts')],
  ['src/worker/run-worker.ts', value('../dev/certificates.ts')],
  ['src/cli/edges.ts', value('../dev/main.ts')],
  ['src/trail/merge.ts', `export { thing } from '../worker/logging.ts';`],
];

const allowed: Import[] = [
  ['src/config.ts', value('./clock.ts')],
  ['src/goldmane/connection.ts', typeOnly('../config.ts')],
  ['src/goldmane/connection.ts', value('../clock.ts')],
  ['src/goldmane/connection.ts', value('./decode.ts')],
  ['src/goldmane/parts/trail.ts', value('../decode.ts')],
  ['src/trail/fold.ts', typeOnly('../goldmane/decode.ts')],
  ['src/trail/fold.ts', value('pg')],
  ['src/reports/digest.ts', typeOnly('../trail/edges.ts')],
  ['src/slack/post.ts', typeOnly('../reports/digest.ts')],
  ['src/activities/stream-flows.ts', value('../trail/merge.ts')],
  ['src/activities/stream-flows.ts', value('../goldmane/connection.ts')],
  ['src/activities/stream-flows.ts', typeOnly('../workflows/status.ts')],
  ['src/workflows/supervise-trail.ts', typeOnly('../activities/index.ts')],
  ['src/workflows/supervise-trail.ts', value('../names.ts')],
  ['src/workflows/supervise-trail.ts', value('./messages.ts')],
  ['src/workflows/supervise-trail.ts', value('@temporalio/workflow')],
  ['src/workflows/supervise-trail.ts', value('@temporalio/common')],
  ['src/worker/run-worker.ts', value('../activities/index.ts')],
  ['src/cli/status.ts', value('../worker/temporal.ts')],
  ['src/dev/main.ts', value('../worker/run-worker.ts')],
  ['test/unit/anything.test.ts', value('../../src/dev/certificates.ts')],
];

const reportShape = z.object({
  diagnostics: z.array(z.looseObject({ code: z.string(), filename: z.string() })),
});
const configShape = z.looseObject({ options: z.looseObject({ typeAware: z.boolean() }) });

let folder: string;
let refused: Set<string>;

/** Each import stands alone in a file: `import 7` of src/trail/fold.ts becomes src/trail/fold-7.ts. */
const fileOf = ([file]: Import, kind: string, index: number): string => {
  const dot = file.indexOf('.');
  // Files directly in src keep their names: they are matched by place, like all others.
  return `${file.slice(0, dot)}-${kind}-${index}${file.slice(dot)}`;
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flow-trail-arrows-'));
  const config = configShape.parse(JSON.parse(await readFile(join(projectFolder, '.oxlintrc.json'), 'utf8')));
  config.options.typeAware = false;
  await writeFile(join(folder, '.oxlintrc.json'), JSON.stringify(config));
  for (const [kind, imports] of Object.entries({ forbidden, allowed }))
    for (const [index, one] of imports.entries()) {
      const path = join(folder, fileOf(one, kind, index));
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, `${one[1]}\n`);
    }
  const linter = join(projectFolder, 'node_modules', '.bin', 'oxlint');
  const { stdout } = await run(linter, ['--format', 'json'], { cwd: folder });
  const { diagnostics } = reportShape.parse(JSON.parse(stdout));
  const arrows = diagnostics.filter(({ code }) => code.includes('no-restricted-imports'));
  refused = new Set(arrows.map(({ filename }) => filename));
});
afterAll(() => rm(folder, { recursive: true }));

describe('the arrows between the folders', () => {
  test.each(
    forbidden.map((one, index) => ({ file: one[0], line: one[1], path: fileOf(one, 'forbidden', index) })),
  )('keep $file from $line', ({ path }) => expect(refused).toContain(path));

  test.each(
    allowed.map((one, index) => ({ file: one[0], line: one[1], path: fileOf(one, 'allowed', index) })),
  )('let $file have $line', ({ path }) => expect(refused).not.toContain(path));
});
