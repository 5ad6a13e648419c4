import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments, parse } from 'yaml';
import { z } from 'zod';
import { compilePolicies } from '../../src/policy/replay/policy-set.ts';
import { decide } from '../../src/policy/replay/decide.ts';
import type { FactEnd } from '../../src/trail/record.ts';
import { fact } from '../unit/policy/derive/facts.ts';
import { podSecurityProblems, podShape } from './pod-security.ts';
import { againstSchemas, evaluatePolicies, projectFolder, renderChart, withFile } from './tools.ts';
import { readSettings, unknownSettings } from './worker-settings.ts';

const labels = z.record(z.string(), z.string());
const manifest = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});
type Manifest = z.infer<typeof manifest>;
const deploymentShape = z.looseObject({
  spec: z.looseObject({
    template: z.looseObject({ metadata: z.looseObject({ labels }), spec: podShape }),
  }),
});
const cronJobShape = z.looseObject({
  spec: z.looseObject({
    jobTemplate: z.looseObject({
      spec: z.looseObject({ template: z.looseObject({ spec: z.looseObject({}) }) }),
    }),
  }),
});

/** Kinds that are not in Kubernetes' schemas. */
const thirdPartyKinds = new Set(['PodMonitor', 'PrometheusRule', 'HTTPRoute']);

const everything = {
  image: { repository: 'registry.example/flow-trail', digest: `sha256:${'a'.repeat(64)}` },
  replicas: 3,
  settings: {
    CLUSTER_NAME: 'west',
    DNS_ADDRESSES: '10.96.0.10',
    PORT_CAP: 32,
    // A number that Helm would write as 2.097152e+06.
    OTLP_LOGS_BATCH_BYTES: 2_097_152,
    DRY_RUN: true,
    LOG_LEVEL: null,
  },
  operatorSecret: { enabled: true },
  certificateCopy: { enabled: true },
  flowLogs: {
    endpoint: 'https://loki.example/otlp/v1/logs',
    headers: { existingSecret: 'loki-token' },
    ca: { existingConfigMap: 'loki-ca' },
  },
  networkPolicy: { admitAtGoldmane: true, database: { addresses: ['192.0.2.1/32', '192.0.2.2/32'] } },
  metrics: {
    podMonitor: { enabled: true, labels: { release: 'prometheus' } },
    prometheusRule: { enabled: true },
  },
  map: {
    enabled: true,
    from: { namespace: 'traefik', podLabels: { app: 'traefik' } },
    ingress: { enabled: true, className: 'traefik', host: 'trail.example', tlsSecret: 'trail-tls' },
    httpRoute: {
      enabled: true,
      host: 'trail.example',
      parentRefs: [{ name: 'public', namespace: 'gateway' }],
    },
  },
  nodeSelector: { 'kubernetes.io/os': 'linux' },
  tolerations: [{ operator: 'Exists' }],
  podLabels: { team: 'platform' },
};

async function render(values: object, release = 'goldmane-flow-trail'): Promise<Manifest[]> {
  const { code, stdout, stderr } = await renderChart(values, 'trail', release);
  if (code !== 0) throw new Error(stderr);
  return parseAllDocuments(stdout).flatMap((document) => {
    const value: unknown = document.toJS();
    return value === null ? [] : [manifest.parse(value)];
  });
}

function one(manifests: readonly Manifest[], kind: string, name = 'goldmane-flow-trail'): Manifest {
  const found = manifests.find((each) => each.kind === kind && each.metadata.name === name);
  return found ?? expect.fail(`no ${kind} ${name}`);
}

const terraformValues: unknown = parse(
  await readFile(join(projectFolder, 'deploy/terraform/values.yaml'), 'utf8'),
);

describe.each<[string, object]>([
  ['its defaults', {}],
  ['every feature', everything],
  ['the values of the Terraform example', z.looseObject({}).parse(terraformValues)],
  [
    'no network policy, budget or service account',
    {
      networkPolicy: { enabled: false },
      podDisruptionBudget: { enabled: false },
      serviceAccount: { create: false, name: 'existing' },
      metrics: { annotations: false },
    },
  ],
])('with %s, the chart', (_what, values) => {
  test.each(['1.30', '1.37'])('renders manifests that are valid for Kubernetes %s', async (version) => {
    const manifests = (await render(values)).filter(({ kind }) => !thirdPartyKinds.has(kind));
    expect(await againstSchemas(manifests, version)).toMatchObject({ code: 0, stderr: '' });
  });

  test('renders pods that meet the restricted Pod Security Standard', async () => {
    const manifests = await render(values);
    const pod = deploymentShape.parse(one(manifests, 'Deployment')).spec.template.spec;
    expect(podSecurityProblems(pod)).toEqual([]);
  });

  test('sets only variables that the worker reads, to values that it accepts', async () => {
    const manifests = await render(values);
    const settings = z
      .looseObject({ data: labels })
      .parse(one(manifests, 'ConfigMap', 'goldmane-flow-trail-settings')).data;
    const [container] = deploymentShape.parse(one(manifests, 'Deployment')).spec.template.spec.containers;
    const own = Object.fromEntries(container?.env.map(({ name, value }) => [name, value]) ?? []);
    expect(unknownSettings({ ...settings, ...own })).toEqual([]);
    expect(readSettings({ ...settings, ...own }).config.names.taskQueue).not.toBe('');
  });

  test('renders each object once', async () => {
    const names = (await render(values)).map(
      ({ kind, metadata }) => `${kind} ${metadata.namespace} ${metadata.name}`,
    );
    expect(new Set(names).size).toBe(names.length);
  });
});

test('two releases in one namespace share no name and no selector', async () => {
  const [a, b] = await Promise.all([render(everything, 'east'), render(everything, 'west')]);
  const names = (manifests: readonly Manifest[]) =>
    manifests.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''} ${metadata.name}`);
  expect(names(a).filter((name) => names(b).includes(name))).toEqual([]);
  const selector = (manifests: readonly Manifest[], name: string) =>
    z
      .looseObject({ spec: z.looseObject({ selector: z.looseObject({ matchLabels: labels }) }) })
      .parse(one(manifests, 'Deployment', name)).spec.selector.matchLabels;
  const podsOfB = deploymentShape.parse(one(b, 'Deployment', 'west-goldmane-flow-trail')).spec.template
    .metadata.labels;
  expect(podsOfB).not.toMatchObject(selector(a, 'east-goldmane-flow-trail'));
});

describe('invalid values are rejected, with the name of the value', () => {
  test.each<[string, object, string]>([
    ['a misspelt key', { replica: 3 }, 'replica'],
    ['a misspelt nested key', { database: { secret: 'x' } }, 'secret'],
    ['a secret among the settings', { settings: { DATABASE_URL: 'postgres://u:p@h/d' } }, 'DATABASE_URL'],
    [
      'an address that is not a CIDR',
      { networkPolicy: { dns: { addresses: ['10.96.0.10'] } } },
      '/networkPolicy/dns/addresses/0',
    ],
    ['a map without a restriction of its clients', { map: { enabled: true } }, '/map/from/namespace'],
    ['a tag instead of a digest', { image: { digest: 'v1' } }, '/image/digest'],
    [
      'an Ingress without a host',
      { map: { enabled: true, from: { namespace: 'traefik' }, ingress: { enabled: true } } },
      'map.ingress.host',
    ],
  ])('%s', async (_what, values, name) => {
    const { code, stderr } = await renderChart(values, 'trail', 'goldmane-flow-trail');
    expect([code, stderr]).toEqual([1, expect.stringContaining(name)]);
  });
});

test('the alert rules equal deploy/prometheus-rules.yaml, with the namespace and name of the release', async () => {
  const rule = z
    .looseObject({ spec: z.unknown() })
    .parse(one(await render(everything, 'west'), 'PrometheusRule', 'west-goldmane-flow-trail'));
  const text = await readFile(join(projectFolder, 'deploy/prometheus-rules.yaml'), 'utf8');
  const expected = text
    .replaceAll('namespace="goldmane-flow-trail"', 'namespace="trail"')
    .replaceAll('deployment="goldmane-flow-trail"', 'deployment="west-goldmane-flow-trail"');
  expect(rule.spec).toEqual(parse(expected));
  expect(expected).toContain('deployment="west-goldmane-flow-trail"');
});

describe('the certificate-copying job', () => {
  test('may only read the two originals and write the two copies', async () => {
    const roles = (await render({ certificateCopy: { enabled: true } }))
      .filter(({ kind }) => kind === 'Role')
      .map((role) => [
        role.metadata.namespace ?? 'trail',
        z.looseObject({ rules: z.unknown() }).parse(role).rules,
      ]);
    const core = { apiGroups: [''] };
    expect(roles).toEqual([
      [
        'calico-system',
        [
          { ...core, resources: ['secrets'], resourceNames: ['whisker-backend-key-pair'], verbs: ['get'] },
          { ...core, resources: ['configmaps'], resourceNames: ['tigera-ca-bundle'], verbs: ['get'] },
        ],
      ],
      [
        'trail',
        [
          {
            ...core,
            resources: ['secrets'],
            resourceNames: ['goldmane-client-tls'],
            verbs: ['get', 'patch'],
          },
          {
            ...core,
            resources: ['configmaps'],
            resourceNames: ['tigera-ca-bundle'],
            verbs: ['get', 'patch'],
          },
          { ...core, resources: ['secrets', 'configmaps'], verbs: ['create'] },
        ],
      ],
    ]);
  });

  test('runs an existing command with existing options, without privileges', async () => {
    const job = cronJobShape.parse(
      one(await render({ certificateCopy: { enabled: true } }), 'CronJob', 'goldmane-flow-trail-copy'),
    );
    const pod = z
      .looseObject({
        containers: z.array(z.looseObject({ args: z.array(z.string()), securityContext: z.unknown() })),
      })
      .parse(job.spec.jobTemplate.spec.template.spec);
    const [name = '', ...options] = pod.containers[0]?.args ?? [];
    const { copyCertificatesCommand } = await import('../../src/cli/copy-certificates.ts');
    const command = copyCertificatesCommand();
    expect(command.name()).toBe(name);
    const known = command.options.map(({ long }) => long);
    for (const option of options) expect(known).toContain(option.split('=')[0]);
    expect(pod.containers[0]?.securityContext).toMatchObject({
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
    });
  });
});

describe('the network policy', () => {
  const end = (kind: FactEnd['kind'], ns: string): FactEnd => ({ kind, ns, identity: '' });
  const allowed: [string, string, number][] = [
    ['udp', 'kube-system', 53],
    ['tcp', 'kube-system', 53],
    ['tcp', 'calico-system', 7443],
    ['tcp', 'dbaas', 5432],
    ['tcp', 'temporal', 7233],
  ];

  test('allows only the egress that the worker needs, according to our replay', async () => {
    // Pod addresses are not stored. With an address in the rule, any pod might have it, and no verdict on port 53 is certain.
    const policy = one(await render({ networkPolicy: { dns: { addresses: [] } } }), 'NetworkPolicy');
    // Pod labels are not stored, so the policy is evaluated as if it selected every pod of the namespace.
    const spec = { ...z.looseObject({}).parse(policy['spec']), podSelector: {} };
    const text = JSON.stringify({ ...policy, spec, metadata: { ...policy.metadata, namespace: 'trail' } });
    const policies = compilePolicies([{ path: 'policy.json', text }], {
      label: 'service-identity',
      namespaces: new Set<string>(),
    });
    const verdict = (protocol: string, ns: string, port: number) =>
      decide(policies, 'egress', {
        ...fact('trail', ns, `${protocol} ${port}`),
        src: end('workload', 'trail'),
        dst: end('workload', ns),
      }).verdict;
    for (const [protocol, ns, port] of allowed) {
      // The labels of the destination pods are not stored either, so the verdict may be undecided.
      expect(verdict(protocol, ns, port), `${ns} ${port}`).not.toBe('deny');
      expect(verdict(protocol, ns, port + 1), `${ns} ${port + 1}`).toBe('deny');
      expect(verdict(protocol, 'immich', port), `immich ${port}`).toBe('deny');
    }
  });

  test('allows egress to the receiver of flow logs only if one is configured', async () => {
    const ports = async (values: object) =>
      JSON.stringify(one(await render(values), 'NetworkPolicy')['spec']).match(/"port":4318/g)?.length ?? 0;
    expect(await ports({})).toBe(0);
    expect(await ports({ flowLogs: { endpoint: 'http://otel-collector.monitoring:4318' } })).toBe(1);
  });

  test(
    'allows only the egress that the worker needs, according to cyclonus',
    { timeout: 600_000 },
    async () => {
      const policy = one(await render({}), 'NetworkPolicy');
      const policies = [{ ...policy, metadata: { ...policy.metadata, namespace: 'trail' } }];
      const workerLabels = {
        'app.kubernetes.io/name': 'goldmane-flow-trail',
        'app.kubernetes.io/instance': 'goldmane-flow-trail',
      };
      const podLabels: Record<string, Record<string, string>> = {
        'kube-system': { 'k8s-app': 'kube-dns' },
        'calico-system': { 'k8s-app': 'goldmane' },
      };
      const packet = (ns: string, protocol: string, port: number) => ({
        src: { ns: 'trail', labels: workerLabels },
        dst: { ns, labels: podLabels[ns] ?? {} },
        protocol: protocol.toUpperCase(),
        port,
      });
      const packets = allowed.flatMap(([protocol, ns, port]) => [
        packet(ns, protocol, port),
        packet(ns, protocol, port + 1),
        packet('immich', protocol, port),
      ]);
      const { code, stdout, stderr } = await withFile(
        'questions.json',
        JSON.stringify([{ policies, packets }]),
        evaluatePolicies,
      );
      expect([code, stderr]).toEqual([0, '']);
      const answers = z.array(z.array(z.object({ egress: z.string() }))).parse(JSON.parse(stdout));
      expect(answers[0]?.map(({ egress }) => egress)).toEqual(
        allowed.flatMap(() => ['allowed', 'denied', 'denied']),
      );
    },
  );
});
