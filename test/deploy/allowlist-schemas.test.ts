import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import type { PolicyKind } from '../../src/policy/derive/emit.ts';
import { anyEvidence, anyOptions, emitAny } from '../unit/policy/derive/random-cluster.ts';
import { uncomment } from '../unit/policy/derive/stubs.ts';
import { againstSchemas, projectFolder, validateCalico, withFile } from './tools.ts';

/** The expected files of the unit tests, at least one of each kind. */
const folder = join(projectFolder, 'test/fixtures/allowlists');
const files = await readdir(folder);
const isKubernetes = (file: string) => file.endsWith('.NetworkPolicy.yaml');
const isCalico = (file: string) => !isKubernetes(file);
const document = z.looseObject({ kind: z.string() });

async function documentsOf(file: string): Promise<z.infer<typeof document>[]> {
  const documents = parseAllDocuments(await readFile(join(folder, file), 'utf8'));
  return documents.map((each) => document.parse(each.toJS()));
}

test('the files contain every kind of policy', async () => {
  const kinds = (await Promise.all(files.map(documentsOf))).flat().map(({ kind }) => kind);
  expect([...new Set(kinds)].toSorted()).toEqual([
    'NetworkPolicy',
    'StagedKubernetesNetworkPolicy',
    'StagedNetworkPolicy',
  ]);
  expect(files.filter((file) => file.endsWith('.CalicoNetworkPolicy.yaml'))).not.toEqual([]);
});

test.each(files.filter(isKubernetes))('%s is valid in Kubernetes', async (file) => {
  for (const version of ['1.30', '1.37']) {
    const { code, stderr } = await againstSchemas(await documentsOf(file), version);
    expect([code, stderr]).toEqual([0, '']);
  }
});

test.each(files.filter(isCalico))('%s is valid in Calico', async (file) => {
  expect(await validateCalico(join(folder, file))).toEqual({ code: 0, stdout: '', stderr: '' });
});

const samples = fc.sample(fc.tuple(anyEvidence, anyOptions), { numRuns: 150, seed: 11 });

describe.each<PolicyKind>([
  'NetworkPolicy',
  'CalicoNetworkPolicy',
  'StagedNetworkPolicy',
  'StagedKubernetesNetworkPolicy',
])('%s manifests of random clusters', (kind) => {
  const manifests = samples.flatMap(([evidence, change]) => emitAny(evidence, change, kind));

  test.each([
    ['unchanged', (text: string) => text],
    ['with every stub uncommented and completed', uncomment],
  ])('are valid %s', async (_what, edit) => {
    const all = manifests.map(edit).join('---\n');
    expect(manifests.length).toBeGreaterThan(100);
    if (kind !== 'NetworkPolicy')
      return expect(await withFile('all.yaml', all, validateCalico)).toEqual({
        code: 0,
        stdout: '',
        stderr: '',
      });
    const documents = parseAllDocuments(all).map((each) => document.parse(each.toJS()));
    const { code, stderr } = await againstSchemas(documents, '1.37');
    expect([code, stderr]).toEqual([0, '']);
  });
});
