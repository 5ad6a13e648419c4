import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { againstSchemas, projectFolder, validated } from './tools.ts';

const deployment = z.object({
  kind: z.literal('Deployment'),
  spec: z.object({
    template: z.object({
      spec: z.object({
        containers: z.tuple([
          z.object({
            env: z.array(z.object({ name: z.string(), value: z.string() })),
            volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string() })),
          }),
        ]),
        volumes: z.array(
          z.object({
            name: z.string(),
            secret: z.object({ items: z.array(z.object({ path: z.string() })) }).optional(),
          }),
        ),
      }),
    }),
  }),
});
const folder = (name: string) => join(projectFolder, 'deploy', name);
const manifests = await validated(
  'kustomize',
  folder('kubernetes-temporal-tls'),
  z.array(z.looseObject({ kind: z.string() })),
);
const base = await validated('kustomize', folder('kubernetes'), z.array(z.looseObject({ kind: z.string() })));

test.each(['1.30', '1.37'])('the manifests are valid for Kubernetes %s', async (version) => {
  expect(await againstSchemas(manifests, version)).toMatchObject({ code: 0, stderr: '' });
});

test('every file in a TEMPORAL_TLS setting is mounted', () => {
  expect(manifests.map(({ kind }) => kind).toSorted()).toEqual(base.map(({ kind }) => kind).toSorted());
  const { containers, volumes } = deployment.parse(manifests.find(({ kind }) => kind === 'Deployment')).spec
    .template.spec;
  const [{ env, volumeMounts }] = containers;
  const paths = env.filter(({ name }) => /^TEMPORAL_TLS_.*_PATH$/.test(name)).map(({ value }) => value);
  expect(paths).toHaveLength(3);
  const mounted = volumeMounts.flatMap(({ name, mountPath }) =>
    (volumes.find((volume) => volume.name === name)?.secret?.items ?? []).map(
      ({ path }) => `${mountPath}/${path}`,
    ),
  );
  expect(mounted).toEqual(expect.arrayContaining(paths));
});
