import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { podSecurityProblems, podShape } from './pod-security.ts';
import { againstSchemas, projectFolder, validated } from './tools.ts';

const manifestShape = z.looseObject({ kind: z.string(), metadata: z.looseObject({ name: z.string() }) });
const manifests = await validated(
  'kustomize',
  join(projectFolder, 'deploy', 'kubernetes-roles'),
  z.array(manifestShape),
);
const container = z.looseObject({
  image: z.string(),
  args: z.array(z.string()),
  env: z.array(z.looseObject({ name: z.string() })),
  envFrom: z.array(z.unknown()).optional(),
});
const withPod = z.looseObject({
  spec: z.looseObject({
    template: z.looseObject({ spec: z.looseObject({ containers: z.tuple([container]) }) }),
  }),
});
const podOf = (kind: string) =>
  withPod.parse(manifests.find((manifest) => manifest.kind === kind)).spec.template.spec;

test.each(['1.30', '1.37'])('the manifests are valid for Kubernetes %s', async (version) => {
  expect(await againstSchemas(manifests, version)).toMatchObject({ code: 0, stderr: '' });
});

test('the Job migrates as the owner, meets the restricted Pod Security Standard, and alone mounts the owner’s Secret', () => {
  const job = podOf('Job');
  const [migrate] = job.containers;
  // The shape of the worker's pod requires ports and probes, which a Job does not have.
  const probe = { httpGet: { path: '/', port: 'none' } };
  const unused = {
    env: [],
    envFrom: [],
    ports: [],
    startupProbe: probe,
    livenessProbe: probe,
    readinessProbe: probe,
  };
  const pod = podShape.parse({ ...job, containers: [{ ...migrate, ...unused }] });
  expect(podSecurityProblems(pod)).toEqual([]);
  expect(migrate.args).toEqual(['migrate']);
  expect(migrate.image).toBe(podOf('Deployment').containers[0].image);
  expect(JSON.stringify(job)).toContain('flow-trail-database-owner');
  expect(JSON.stringify(podOf('Deployment'))).not.toContain('flow-trail-database-owner');
});

test('the Job has the CLUSTER_NAME of the worker, if it has one', () => {
  const [worker] = podOf('Deployment').containers;
  const [migrate] = podOf('Job').containers;
  // kustomize appends a hash to the name of the ConfigMap.
  const [settings] = z
    .tuple([z.object({ configMapRef: z.object({ name: z.string() }) })])
    .parse(worker.envFrom);
  expect(migrate.env).toContainEqual({
    name: 'CLUSTER_NAME',
    valueFrom: {
      configMapKeyRef: { name: settings.configMapRef.name, key: 'CLUSTER_NAME', optional: true },
    },
  });
});
