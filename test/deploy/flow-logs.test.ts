import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { againstSchemas, projectFolder, validated } from './tools.ts';
import { readSettings } from './worker-settings.ts';

const manifest = z.looseObject({ kind: z.string(), metadata: z.looseObject({ name: z.string() }) });
const deployment = z.looseObject({
  spec: z.looseObject({
    template: z.looseObject({
      spec: z.looseObject({
        containers: z.array(
          z.looseObject({ env: z.array(z.looseObject({ name: z.string(), value: z.string() })) }),
        ),
      }),
    }),
  }),
});
const policy = z.looseObject({
  spec: z.looseObject({
    egress: z.array(
      z.looseObject({ ports: z.array(z.looseObject({ port: z.union([z.number(), z.string()]) })) }),
    ),
  }),
});

test('deploy/kubernetes-flow-logs sets a receiver URL that the worker accepts, and allows egress to its port', async () => {
  const manifests = await validated(
    'kustomize',
    join(projectFolder, 'deploy/kubernetes-flow-logs'),
    z.array(manifest),
  );
  expect(await againstSchemas(manifests, '1.37')).toMatchObject({ code: 0, stderr: '' });
  const [container] = deployment.parse(manifests.find(({ kind }) => kind === 'Deployment')).spec.template.spec
    .containers;
  const env = Object.fromEntries(container?.env.map(({ name, value }) => [name, value]) ?? []);
  const { config } = readSettings(env);
  const ports = manifests
    .filter(({ kind }) => kind === 'NetworkPolicy')
    .flatMap((each) => policy.parse(each).spec.egress.flatMap((rule) => rule.ports.map(({ port }) => port)));
  expect(ports).toContain(Number(new URL(config.export?.url ?? '').port));
  // The worker's own policy is included as well.
  expect(ports).toContain(7443);
});
