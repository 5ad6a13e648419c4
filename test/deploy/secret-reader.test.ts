import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { readSettings } from './worker-settings.ts';
import { againstSchemas, projectFolder, validated } from './tools.ts';

const reference = z.looseObject({ kind: z.string(), name: z.string(), namespace: z.string().optional() });
const manifestShape = z.looseObject({
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});
const folder = (name: string) => join(projectFolder, 'deploy', name);
const manifests = await validated('kustomize', folder('kubernetes-secret-reader'), z.array(manifestShape));
const base = await validated('kustomize', folder('kubernetes'), z.array(manifestShape));

function one<Shape>(kind: string, shape: z.ZodType<Shape>): Shape {
  const found = manifests.filter((manifest) => manifest.kind === kind);
  expect(found, kind).toHaveLength(1);
  return shape.parse(found[0]);
}

test.each(['1.30', '1.37'])('the manifests are valid for Kubernetes %s', async (version) => {
  expect(await againstSchemas(manifests, version)).toMatchObject({ code: 0, stderr: '' });
});

test('the manifests are those of the worker, a Role and its binding', () => {
  const kinds = (of: typeof manifests) => of.map(({ kind }) => kind).toSorted();
  expect(kinds(manifests)).toEqual([...kinds(base), 'Role', 'RoleBinding'].toSorted());
});

test('the Role allows only get on the one Secret that OPERATOR_SECRET names', () => {
  const { config } = readSettings({ DATABASE_URL: 'postgres://user@host/database' });
  const secret = config.jobs.certificates.operatorSecret;
  const role = one('Role', manifestShape.extend({ rules: z.array(z.unknown()) }));
  expect(role.metadata.namespace).toBe(secret?.namespace);
  expect(role.rules).toEqual([
    { apiGroups: [''], resources: ['secrets'], resourceNames: [secret?.name], verbs: ['get'] },
  ]);
});

test('the binding gives the Role to the worker’s account, in the Secret’s namespace', () => {
  const role = one('Role', manifestShape);
  const account = one('ServiceAccount', manifestShape);
  const binding = one(
    'RoleBinding',
    manifestShape.extend({ roleRef: reference, subjects: z.array(reference) }),
  );
  expect(binding.metadata.namespace).toBe(role.metadata.namespace);
  expect(binding.roleRef).toMatchObject({ kind: 'Role', name: role.metadata.name });
  const { name, namespace } = account.metadata;
  expect(binding.subjects).toEqual([{ kind: 'ServiceAccount', name, namespace }]);
});

test('the pod has a token and egress to the API server, which the plain manifests do not have', () => {
  const pod = one(
    'Deployment',
    z.looseObject({ spec: z.looseObject({ template: z.looseObject({ spec: z.looseObject({}) }) }) }),
  ).spec.template.spec;
  expect(pod).toMatchObject({ automountServiceAccountToken: true });
  const egress = z.looseObject({ spec: z.looseObject({ egress: z.array(z.unknown()) }) });
  const api = { ports: [{ port: 6443, protocol: 'TCP' }] };
  expect(one('NetworkPolicy', egress).spec.egress).toContainEqual(api);
  const without = egress.parse(base.find(({ kind }) => kind === 'NetworkPolicy'));
  expect(without.spec.egress).not.toContainEqual(api);
});
