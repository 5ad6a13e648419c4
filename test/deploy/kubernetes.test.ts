import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { podSecurityProblems, podShape } from './pod-security.ts';
import { againstSchemas, projectFolder, validated } from './tools.ts';
import { readSettings, unknownSettings } from './worker-settings.ts';

const folder = join(projectFolder, 'deploy', 'kubernetes');
const labels = z.record(z.string(), z.string());
const manifestShape = z.looseObject({
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional(), labels: labels.optional() }),
});
const selector = z.looseObject({ matchLabels: labels });
const deploymentShape = z.looseObject({
  spec: z.looseObject({
    replicas: z.number(),
    selector,
    template: z.looseObject({ metadata: z.looseObject({ labels }), spec: podShape }),
  }),
});

const manifests = await validated('kustomize', folder, z.array(manifestShape));
const deployment = deploymentShape.parse(one('Deployment'));
const pod = deployment.spec.template.spec;
const [container] = pod.containers;
if (!container) throw new Error('the Deployment has no container');

describe('the manifests', () => {
  test.each(['1.30', '1.37'])('are valid for Kubernetes %s, without unknown fields', async (version) => {
    expect(await againstSchemas(manifests, version)).toMatchObject({ code: 0, stderr: '' });
  });

  test('are all in the namespace that they create', () => {
    const namespace = one('Namespace').metadata.name;
    for (const { kind, metadata } of manifests)
      expect(kind === 'Namespace' ? metadata.name : metadata.namespace, kind).toBe(namespace);
  });

  test('select the pods of the Deployment by labels that the pods have', () => {
    const pods = deployment.spec.template.metadata.labels;
    const budget = z.looseObject({ spec: z.looseObject({ selector }) }).parse(one('PodDisruptionBudget'));
    const policy = z
      .looseObject({ spec: z.looseObject({ podSelector: selector }) })
      .parse(one('NetworkPolicy'));
    const service = z.looseObject({ spec: z.looseObject({ selector: labels }) }).parse(one('Service'));
    for (const labelsToMatch of [
      deployment.spec.selector.matchLabels,
      budget.spec.selector.matchLabels,
      policy.spec.podSelector.matchLabels,
      service.spec.selector,
    ])
      expect(pods).toMatchObject(labelsToMatch);
  });
});

test('the NetworkPolicy allows DNS to the pods of kube-dns, to an address of its Service and to a node-local cache', () => {
  const peers = z.looseObject({
    spec: z.looseObject({
      egress: z.array(
        z.looseObject({
          to: z.array(z.looseObject({ ipBlock: z.looseObject({ cidr: z.string() }).optional() })),
          ports: z.array(z.looseObject({ port: z.unknown(), protocol: z.string() })),
        }),
      ),
    }),
  });
  const rules = peers
    .parse(one('NetworkPolicy'))
    .spec.egress.filter(({ ports }) => ports.some(({ port }) => port === 53));
  for (const { ports } of rules)
    expect(ports.map(({ protocol }) => protocol).toSorted()).toEqual(['TCP', 'UDP']);
  expect(rules.flatMap(({ to }) => to.map(({ ipBlock }) => ipBlock?.cidr ?? 'pods'))).toEqual([
    'pods',
    '10.96.0.10/32',
    '169.254.20.10/32',
  ]);
});

describe('the pods', () => {
  test('meet the restricted Pod Security Standard', () => {
    expect(podSecurityProblems(pod)).toEqual([]);
  });

  test.each<[string, (broken: z.infer<typeof podShape>) => void]>([
    ['runAsNonRoot', (broken) => void (broken.securityContext.runAsNonRoot = false)],
    ['runAsUser', (broken) => void (broken.securityContext.runAsUser = 0)],
    ['seccompProfile', (broken) => void (broken.securityContext.seccompProfile = undefined)],
    ['hostNetwork', (broken) => void (broken['hostNetwork'] = true)],
    ['capabilities', (broken) => void (broken.containers[0]!.securityContext.capabilities.drop = [])],
    [
      'allowPrivilegeEscalation',
      (broken) => void (broken.containers[0]!.securityContext.allowPrivilegeEscalation = true),
    ],
    ['hostPath', (broken) => void broken.volumes.push({ name: 'host', hostPath: { path: '/' } })],
  ])('would not meet it with a wrong %s', (field, breakIt) => {
    const broken = structuredClone(pod);
    breakIt(broken);
    expect(podSecurityProblems(broken)).toEqual([expect.stringContaining(field)]);
  });

  test('have a read-only root, no API token, two replicas and memory limits', () => {
    expect(container.securityContext.readOnlyRootFilesystem).toBe(true);
    expect(pod.automountServiceAccountToken).toBe(false);
    expect(deployment.spec.replicas).toBe(2);
    expect(container.resources.limits).toHaveProperty('memory');
  });

  test('have a grace period longer than the worker’s longest shutdown: 20 s for activities and 5 s for each of four phases', () => {
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(20 + 4 * 5);
  });

  test('are probed and scraped on ports that they expose', () => {
    const named = new Map(container.ports.map(({ name, containerPort }) => [name, containerPort]));
    const { config } = readSettings(environmentOfPod());
    expect(named.get('http')).toBe(config.httpPort);
    expect(named.get('metrics')).toBe(config.metricsPort);
    for (const probe of [container.startupProbe, container.livenessProbe, container.readinessProbe])
      expect([...named.keys()]).toContain(probe.httpGet.port);
    expect(container.readinessProbe.httpGet.path).toBe('/readyz');
    expect(container.livenessProbe.httpGet.path).toBe('/healthz');
  });

  test('set only variables that the worker reads, to values that it accepts', () => {
    expect(unknownSettings(environmentOfPod())).toEqual([]);
    expect(unknownSettings({ ...environmentOfPod(), GOLDMANE_HOSTT: 'x:1' })).toEqual(['GOLDMANE_HOSTT']);
  });

  test('mount every file where the worker reads it, without subPath, so that rotated secrets are updated', () => {
    const { config } = readSettings(environmentOfPod());
    if (!('urlFile' in config.database)) throw new Error('the database URL is not read from a file');
    const files = container.volumeMounts.flatMap(({ name, mountPath, subPath }) => {
      expect(subPath, `${name} is mounted with subPath`).toBeUndefined();
      const volume = pod.volumes.find((candidate) => candidate.name === name);
      expect(volume, `volume ${name}`).toBeDefined();
      const items = volume?.secret?.items ?? volume?.configMap?.items ?? [];
      return items.map(({ path }) => `${mountPath}/${path}`);
    });
    const { certPath, keyPath, caPath } = config.goldmane;
    const { webhook } = config.jobs.slack;
    if (!webhook || !('urlFile' in webhook)) throw new Error('the webhook is not read from a file');
    const { heartbeat } = config;
    if (!heartbeat || !('urlFile' in heartbeat)) throw new Error('the heartbeat is not read from a file');
    expect(files.toSorted()).toEqual(
      [certPath, keyPath, caPath, config.database.urlFile, webhook.urlFile, heartbeat.urlFile].toSorted(),
    );
  });
});

function one(kind: string): z.infer<typeof manifestShape> {
  const [found, ...more] = manifests.filter((manifest) => manifest.kind === kind);
  if (!found || more.length > 0)
    throw new Error(`${more.length + (found ? 1 : 0)} manifests of kind ${kind}`);
  return found;
}

function environmentOfPod(): Record<string, string> {
  const settings = z.looseObject({ data: labels }).parse(one('ConfigMap'));
  expect(container?.envFrom).toEqual([{ configMapRef: { name: one('ConfigMap').metadata.name } }]);
  const own = container?.env.map(({ name, value }) => [name, value] as const) ?? [];
  return { ...settings.data, ...Object.fromEntries(own) };
}
