import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { projectFolder, run, validateSbom } from './tools.ts';

const sbomShape = z.object({
  bomFormat: z.literal('CycloneDX'),
  metadata: z.object({ component: z.object({ name: z.string() }) }),
  components: z.array(
    z.looseObject({ purl: z.string(), components: z.array(z.looseObject({ purl: z.string() })).optional() }),
  ),
});
const lockShape = z.object({
  packages: z.record(z.string(), z.looseObject({ version: z.string(), dev: z.boolean().optional() })),
});

test('npm run sbom lists exactly the production packages of the lockfile, in valid CycloneDX', async () => {
  const outcome = await run('npm', ['run', 'sbom'], { timeoutMs: 240_000 });
  expect(outcome.code, outcome.stderr).toBe(0);
  const file = join(projectFolder, 'dist', 'sbom.json');
  expect(await validateSbom(file)).toMatchObject({ code: 0, stderr: '' });
  const text = await readFile(file, 'utf8');
  expect(text).not.toContain(projectFolder);
  const { components, metadata } = sbomShape.parse(JSON.parse(text));
  expect(metadata.component.name).toBe('goldmane-flow-trail');
  const { packages } = lockShape.parse(
    JSON.parse(await readFile(join(projectFolder, 'package-lock.json'), 'utf8')),
  );
  const expected = Object.entries(packages)
    .filter(([path, { dev }]) => path !== '' && dev !== true)
    .map(([path, { version }]) => {
      const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
      return `pkg:npm/${name.replace('@', '%40')}@${version}`;
    });
  // A nested package is a component of its parent's component.
  const listed = components.flatMap(({ purl, components: inner = [] }) => [
    purl,
    ...inner.map((each) => each.purl),
  ]);
  expect(new Set(listed.map((purl) => purl.split('?')[0]))).toEqual(new Set(expected));
});
