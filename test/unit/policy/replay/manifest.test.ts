import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { compilePolicies } from '../../../../src/policy/replay/policy-set.ts';
import { readManifests } from '../../../../src/policy/replay/manifest.ts';

const identity = { label: 'service-identity', namespaces: 'all' as const };
const spec = { podSelector: {}, policyTypes: ['Ingress'] };
const policy = (metadata: object = { name: 'deny', namespace: 'a' }) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata,
  spec,
});

function names(text: string, namespace?: string): string[] {
  const { manifests, problems } = readManifests([{ path: 'now.yaml', text }], { namespace });
  expect(problems).toEqual([]);
  return manifests.map(
    ({ manifest: { kind, metadata } }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`,
  );
}

describe('output of kubectl and calicoctl is read', () => {
  const served = {
    ...policy({
      name: 'deny',
      namespace: 'a',
      uid: 'c0ffee',
      resourceVersion: '7',
      creationTimestamp: '2026-01-01T00:00:00Z',
      managedFields: [{ manager: 'kubectl', operation: 'Apply' }],
    }),
    status: {},
  };
  test('a List', () =>
    expect(names(stringify({ apiVersion: 'v1', kind: 'List', items: [served], metadata: {} }))).toEqual([
      'NetworkPolicy a/deny',
    ]));
  test('a list of one kind, whose items may have no kind', () => {
    const { apiVersion: _apiVersion, kind: _kind, ...item } = served;
    const list = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicyList',
      metadata: { resourceVersion: '8' },
      items: [item],
    };
    expect(names(JSON.stringify(list))).toEqual(['NetworkPolicy a/deny']);
  });
  test('an empty list', () =>
    expect(names(stringify({ apiVersion: 'v1', kind: 'List', items: [] }))).toEqual([]));
  test('the kinds in which Calico stores its policies', () =>
    expect(
      names(
        stringify({
          apiVersion: 'crd.projectcalico.org/v1',
          kind: 'GlobalNetworkPolicy',
          metadata: { name: 'default.observe' },
          spec: {
            order: 2000,
            selector: 'all()',
            types: ['Egress'],
            egress: [{ action: 'Log' }, { action: 'Allow' }],
          },
        }),
      ),
    ).toEqual(['GlobalNetworkPolicy /default.observe']));
});

test('objects that were stored without Calico’s validation may have the forms that Felix accepts', () => {
  const stored = (apiVersion: string) =>
    stringify({
      apiVersion,
      kind: 'NetworkPolicyList',
      items: [
        {
          metadata: { name: 'default.x', namespace: 'a' },
          spec: {
            egress: [
              {
                action: 'Allow',
                protocol: 'tcp',
                destination: { nets: ['10.0.0.1', '10.1.2.3/8'], ports: [80] },
              },
            ],
          },
        },
      ],
    });
  expect(names(stored('crd.projectcalico.org/v1'))).toEqual(['NetworkPolicy a/default.x']);
  const { problems } = readManifests([{ path: 'x.yaml', text: stored('projectcalico.org/v3') }]);
  expect(problems).toHaveLength(3);
});

describe('a namespace', () => {
  test('is taken from --namespace if the manifest has none', () =>
    expect(names(stringify(policy({ name: 'deny' })), 'immich')).toEqual(['NetworkPolicy immich/deny']));
  test('in the manifest takes precedence', () =>
    expect(names(stringify(policy()), 'immich')).toEqual(['NetworkPolicy a/deny']));
  test('is taken from the kustomization that lists the file', () => {
    const { manifests, problems } = readManifests([
      {
        path: 'apps/immich/kustomization.yaml',
        text: stringify({ namespace: 'immich', resources: ['policies/', './deny.yaml'] }),
      },
      { path: 'apps/immich/deny.yaml', text: stringify(policy({ name: 'deny' })) },
      { path: 'apps/immich/policies/more.yaml', text: stringify(policy({ name: 'more' })) },
      { path: 'apps/immich/unlisted.yaml', text: stringify(policy({ name: 'unlisted' })) },
    ]);
    expect(manifests.map(({ manifest }) => manifest.metadata.namespace)).toEqual(['immich', 'immich']);
    expect(problems).toEqual([expect.stringContaining('apps/immich/unlisted.yaml')]);
  });
});

describe('a kustomization', () => {
  const files = (...kustomizations: [path: string, content: object][]) => [
    ...kustomizations.map(([path, content]) => ({ path, text: stringify(content) })),
    { path: 'base/deny.yaml', text: stringify(policy({ name: 'deny' })) },
  ];
  const namespaceOf = (...kustomizations: [path: string, content: object][]) =>
    readManifests(files(...kustomizations)).manifests[0]?.manifest.metadata.namespace;

  test('can list files of a folder beside it', () => {
    expect(
      namespaceOf(['overlays/prod/kustomization.yaml', { namespace: 'prod', resources: ['../../base'] }]),
    ).toBe('prod');
  });
  test('overrides the namespace of one that it lists, as the outer one is applied last', () => {
    expect(
      namespaceOf(
        ['base/kustomization.yaml', { namespace: 'inner', resources: ['deny.yaml'] }],
        ['kustomization.yaml', { namespace: 'outer', resources: ['base'] }],
      ),
    ).toBe('outer');
  });
  test('with patches is not applied, which is reported', () => {
    const content = { namespace: 'a', resources: ['deny.yaml'], patches: [{ path: 'patch.yaml' }] };
    const { notes } = compilePolicies(files(['base/kustomization.yaml', content]), identity);
    expect(notes).toEqual([
      expect.stringMatching(/^base\/kustomization\.yaml uses patches, .*kustomize build/),
    ]);
    expect(readManifests(files(['other/kustomization.yaml', content])).notes).toEqual([]);
  });
});

test('Calico’s views of Kubernetes policies do not count in addition to them', () => {
  const calico = (name: string) => ({
    apiVersion: 'projectcalico.org/v3',
    kind: 'NetworkPolicy',
    metadata: { name, namespace: 'a' },
    spec: { order: 1000, types: ['Ingress'], ingress: [{ action: 'Allow' }] },
  });
  const count = (...objects: object[]) => {
    const text = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
    const { tiers } = compilePolicies([{ path: 'x.json', text }], identity);
    return tiers.flatMap(({ policies }) => policies).length;
  };
  expect(count(policy(), calico('knp.default.deny'))).toBe(1);
  expect(count(policy(), calico('knp.default.other'))).toBe(2);
  expect(count(calico('knp.default.deny'))).toBe(1);
});

test('other kinds are skipped and counted', () => {
  const others = ['Deployment', 'Deployment', 'HostEndpoint', 'Role'].map((kind) => ({
    apiVersion: 'v1',
    kind,
    metadata: { name: 'x' },
  }));
  const { skipped } = compilePolicies(
    [{ path: 'all.yaml', text: [policy(), ...others].map((each) => stringify(each)).join('---\n') }],
    identity,
  );
  expect(Object.fromEntries(skipped)).toEqual({ Deployment: 2, HostEndpoint: 1, Role: 1 });
});

test('in a folder, files of other programs may be invalid YAML', () => {
  const files = [
    { path: 'deny.yaml', text: stringify(policy()) },
    { path: 'chart/templates/service.yaml', text: '{{- if .Values.enabled }}\nkind: Service\n{{- end }}\n' },
    { path: 'metrics.yml', text: 'a b\n c: [' },
  ];
  const { problems, skipped } = readManifests(files);
  expect(problems).toEqual([]);
  expect([...skipped.keys()]).toContain('file that is not valid YAML');
  const template = { path: 'policy.yaml', text: '{{- if x }}\nkind: NetworkPolicy\n{{- end }}\n' };
  expect(readManifests([...files, template]).problems).not.toEqual([]);
  expect(readManifests([{ path: 'metrics.yml', text: 'a: [' }]).problems).toHaveLength(1);
});

describe('YAML is read as by kubectl', () => {
  const spec = (text: string) =>
    names(
      `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: deny, namespace: a}\nspec:\n${text}`,
    );
  test('anchors and merge keys', () =>
    expect(
      spec(
        '  podSelector: &pods {matchLabels: {app: web}}\n  ingress: [{from: [{podSelector: {<<: *pods}}]}]',
      ),
    ).toEqual(['NetworkPolicy a/deny']));
  test('a label with the value yes or on needs quotes', () => {
    for (const value of ['yes', 'on', 'n'])
      expect(
        readManifests([
          { path: 'x', text: stringify(policy()).replace('{}', `{matchLabels: {app: ${value}}}`) },
        ]).problems,
      ).toEqual([expect.stringMatching(/podSelector\.matchLabels\.app .*put it in quotes/)]);
    expect(spec('  podSelector: {matchLabels: {app: "yes"}}')).toHaveLength(1);
  });
  test('a range of ports is text', () =>
    expect(
      names(
        stringify({
          apiVersion: 'projectcalico.org/v3',
          kind: 'NetworkPolicy',
          metadata: { name: 'x', namespace: 'a' },
        }) + 'spec: {egress: [{action: Allow, protocol: TCP, destination: {ports: [80:90]}}]}\n',
      ),
    ).toEqual(['NetworkPolicy a/x']));
  // As kubectl prints them: each object's last applied configuration is a string full of escaped quotes.
  test('a truncated text of JSON objects is one problem, however many quotes it has', () => {
    const applied = JSON.stringify({ applied: '{"name":"x"},'.repeat(20_000) });
    const text = `{"kind": "NetworkPolicy"}\n${applied.slice(0, -10)}`;
    expect(readManifests([{ path: 'now.json', text }], {}).problems).toHaveLength(1);
  });
  test('several JSON objects, as jq prints them', () =>
    expect(
      names(
        ['{"x": 1', '"}'].reduce(
          (text, odd) =>
            `${text}\n${JSON.stringify(policy({ name: 'deny', namespace: 'a', annotations: { note: odd } }))}`,
          '',
        ),
      ),
    ).toHaveLength(2));
  test('comments of Helm between documents, Windows line breaks and a byte order mark', () =>
    expect(
      names(`\ufeff---\r\n# Source: x\r\n---\r\n${stringify(policy()).replaceAll('\n', '\r\n')}---\r\n`),
    ).toEqual(['NetworkPolicy a/deny']));
});

test('fields without effect are accepted', () => {
  const global = {
    apiVersion: 'projectcalico.org/v3',
    kind: 'GlobalNetworkPolicy',
    metadata: { name: 'x' },
    spec: {
      selector: '',
      namespaceSelector: '',
      serviceAccountSelector: '',
      doNotTrack: false,
      applyOnForward: false,
      preDNAT: false,
      types: [],
      ingress: null,
      egress: [{ action: 'Allow', source: {}, destination: { nets: [], selector: '' } }],
    },
  };
  expect(names(stringify(global))).toEqual(['GlobalNetworkPolicy /x']);
});

test('a single tier without a Tier manifest is assumed to be before the default tier, and this is reported', () => {
  const staged = {
    apiVersion: 'projectcalico.org/v3',
    kind: 'StagedNetworkPolicy',
    metadata: { name: 'platform.immich', namespace: 'immich' },
    spec: { tier: 'platform', types: ['Egress'] },
  };
  const { tiers, notes } = compilePolicies([{ path: 'x.yaml', text: stringify(staged) }], identity);
  expect(tiers.map(({ name }) => name)).toEqual(['platform', 'default']);
  expect(notes).toHaveLength(1);
});

test.each([
  ['a Kubernetes policy without types selects ingress', 'networking.k8s.io/v1 NetworkPolicy', {}, 'ingress'],
  ['with an empty list of egress rules too', 'networking.k8s.io/v1 NetworkPolicy', { egress: [] }, 'ingress'],
  ['with egress rules both', 'networking.k8s.io/v1 NetworkPolicy', { egress: [{}] }, 'egress ingress'],
  [
    'Calico sets no types for its staged kind',
    'projectcalico.org/v3 StagedKubernetesNetworkPolicy',
    { egress: [{}] },
    'ingress',
  ],
  [
    'Calico’s own without rules selects ingress',
    'projectcalico.org/v3 NetworkPolicy',
    { types: [] },
    'ingress',
  ],
  ['and so without a spec', 'projectcalico.org/v3 NetworkPolicy', undefined, 'ingress'],
  [
    'Calico’s own with egress rules alone selects egress',
    'projectcalico.org/v3 NetworkPolicy',
    { egress: [{ action: 'Allow' }] },
    'egress',
  ],
])('%s', (_, type, own, expected) => {
  const [apiVersion, kind] = type.split(' ');
  const manifest = { apiVersion, kind, metadata: { name: 'x', namespace: 'a' }, spec: own };
  const { tiers } = compilePolicies([{ path: 'x.yaml', text: stringify(manifest) }], identity);
  const [only] = tiers.flatMap(({ policies }) => policies);
  const directions = [...(only?.egress ? ['egress'] : []), ...(only?.ingress ? ['ingress'] : [])];
  expect(directions.join(' ')).toBe(expected);
});

test.each(['spec', 'podSelector', 'label', 'namespaces'])(
  'metadata with a field %s, which the API server rejects, is a problem that names the field',
  (field) => {
    const text = stringify(policy({ name: 'deny', namespace: 'a', [field]: {} }));
    expect(readManifests([{ path: 'now.yaml', text }]).problems).toEqual([
      expect.stringContaining(`metadata.${field}`),
    ]);
  },
);
