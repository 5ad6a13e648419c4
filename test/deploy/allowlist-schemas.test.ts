import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { againstSchemas, projectFolder, validateCalico } from './tools.ts';

/** What the tests of allowlists compare with, byte for byte: one file a kind at least. */
const folder = join(projectFolder, 'test/fixtures/allowlists');
const files = await readdir(folder);
const isKubernetes = (file: string) => file.endsWith('.NetworkPolicy.yaml');
const isCalico = (file: string) => !isKubernetes(file);
const document = z.looseObject({ kind: z.string() });

async function documentsOf(file: string): Promise<z.infer<typeof document>[]> {
  const documents = parseAllDocuments(await readFile(join(folder, file), 'utf8'));
  return documents.map((each) => document.parse(each.toJS()));
}

test('every kind that is written is among the files', async () => {
  const kinds = (await Promise.all(files.map(documentsOf))).flat().map(({ kind }) => kind);
  expect([...new Set(kinds)].toSorted()).toEqual([
    'NetworkPolicy',
    'StagedKubernetesNetworkPolicy',
    'StagedNetworkPolicy',
  ]);
  expect(files.filter((file) => file.endsWith('.CalicoNetworkPolicy.yaml'))).not.toEqual([]);
});

test.each(files.filter(isKubernetes))('%s is what Kubernetes takes', async (file) => {
  for (const version of ['1.30', '1.37']) {
    const { code, stderr } = await againstSchemas(await documentsOf(file), version);
    expect([code, stderr]).toEqual([0, '']);
  }
});

test.each(files.filter(isCalico))('%s is what Calico takes', async (file) => {
  expect(await validateCalico(join(folder, file))).toEqual({ code: 0, stdout: '', stderr: '' });
});
