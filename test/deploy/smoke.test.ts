import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { againstSchemas, hadolint, projectFolder } from './tools.ts';

/** Checks of deployment files that need no Go programs, unlike the other tests in this folder. */
const manifestFolder = join(projectFolder, 'deploy/kubernetes');
const manifests = (await readdir(manifestFolder)).filter((file) => file !== 'kustomization.yaml');

async function documentsOf(path: string): Promise<object[]> {
  return parseAllDocuments(await readFile(path, 'utf8'), { strict: true, uniqueKeys: true }).map(
    (document) => {
      expect(document.errors, path).toEqual([]);
      return z.looseObject({}).parse(document.toJS());
    },
  );
}

test('the Dockerfile satisfies hadolint', async () => {
  expect(await hadolint(join(projectFolder, 'Dockerfile'))).toMatchObject({ code: 0, stdout: '' });
});

test.each(['1.30', '1.37'])(
  'the manifests are valid for Kubernetes %s, without unknown fields',
  async (version) => {
    const documents = (
      await Promise.all(manifests.map((file) => documentsOf(join(manifestFolder, file))))
    ).flat();
    expect(await againstSchemas(documents, version)).toMatchObject({ code: 0, stderr: '' });
  },
);

test.each(['docker-compose.yaml', 'deploy/prometheus-rules.yaml', 'deploy/kubernetes/kustomization.yaml'])(
  '%s is YAML with unique keys',
  async (file) => {
    expect(await documentsOf(join(projectFolder, file))).toHaveLength(1);
  },
);
