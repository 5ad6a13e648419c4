import { parseAllDocuments } from 'yaml';
import { z } from 'zod';

export interface ManifestFile {
  readonly path: string;
  readonly text: string;
}

const selectorShape = z.strictObject({
  matchLabels: z.record(z.string(), z.string()).optional(),
  matchExpressions: z
    .array(z.strictObject({ key: z.string(), operator: z.string(), values: z.array(z.string()).optional() }))
    .optional(),
});
const kubernetesPeer = z
  .strictObject({
    namespaceSelector: selectorShape.optional(),
    podSelector: selectorShape.optional(),
    ipBlock: z.strictObject({ cidr: z.string(), except: z.array(z.string()).optional() }).optional(),
  })
  .refine(
    ({ namespaceSelector, podSelector, ipBlock }) =>
      (ipBlock === undefined) !== (namespaceSelector === undefined && podSelector === undefined),
    'needs either an ipBlock or selectors',
  );
const kubernetesPort = z.strictObject({
  protocol: z.enum(['TCP', 'UDP', 'SCTP']).default('TCP'),
  port: z.union([z.int().min(1).max(65_535), z.string()]).optional(),
  endPort: z.int().optional(),
});
const ports = z.array(kubernetesPort).default([]);
const peers = z.array(kubernetesPeer).default([]);
const types = z.array(z.enum(['Ingress', 'Egress'])).optional();
const kubernetesSpec = z.strictObject({
  podSelector: selectorShape.default({}),
  policyTypes: types,
  ingress: z.array(z.strictObject({ from: peers, ports })).optional(),
  egress: z.array(z.strictObject({ to: peers, ports })).optional(),
});

const calicoPort = z.union([z.int().min(0).max(65_535), z.string()]);
const entity = z.strictObject({
  nets: z.array(z.string()).optional(),
  notNets: z.array(z.string()).optional(),
  selector: z.string().optional(),
  notSelector: z.string().optional(),
  namespaceSelector: z.string().optional(),
  ports: z.array(calicoPort).optional(),
  notPorts: z.array(calicoPort).optional(),
});
const protocol = z.union([z.string(), z.int().min(1).max(255)]);
const calicoRule = z.strictObject({
  action: z.enum(['Allow', 'Deny', 'Pass', 'Log']),
  protocol: protocol.optional(),
  notProtocol: protocol.optional(),
  ipVersion: z.union([z.literal(4), z.literal(6)]).optional(),
  icmp: z.unknown().optional(),
  notICMP: z.unknown().optional(),
  source: entity.optional(),
  destination: entity.optional(),
  metadata: z.unknown().optional(),
});
const calicoSpec = z.strictObject({
  tier: z.string().default('default'),
  order: z.number().optional(),
  selector: z.string().default(''),
  types,
  ingress: z.array(calicoRule).optional(),
  egress: z.array(calicoRule).optional(),
  performanceHints: z.unknown().optional(),
});
const staged = { stagedAction: z.literal('Set', 'only "Set" can be replayed').optional() };
const global = { namespaceSelector: z.string().optional() };

const metadata = z.looseObject({ name: z.string(), namespace: z.string().default('default') });
const calico = z.literal('projectcalico.org/v3');
const manifest = {
  'networking.k8s.io/v1 NetworkPolicy': z.strictObject({
    apiVersion: z.literal('networking.k8s.io/v1'),
    kind: z.literal('NetworkPolicy'),
    metadata,
    spec: kubernetesSpec,
  }),
  'projectcalico.org/v3 StagedKubernetesNetworkPolicy': z.strictObject({
    apiVersion: calico,
    kind: z.literal('StagedKubernetesNetworkPolicy'),
    metadata,
    spec: kubernetesSpec.extend(staged),
  }),
  'projectcalico.org/v3 NetworkPolicy': z.strictObject({
    apiVersion: calico,
    kind: z.literal('NetworkPolicy'),
    metadata,
    spec: calicoSpec,
  }),
  'projectcalico.org/v3 StagedNetworkPolicy': z.strictObject({
    apiVersion: calico,
    kind: z.literal('StagedNetworkPolicy'),
    metadata,
    spec: calicoSpec.extend(staged),
  }),
  'projectcalico.org/v3 GlobalNetworkPolicy': z.strictObject({
    apiVersion: calico,
    kind: z.literal('GlobalNetworkPolicy'),
    metadata,
    spec: calicoSpec.extend(global),
  }),
  'projectcalico.org/v3 StagedGlobalNetworkPolicy': z.strictObject({
    apiVersion: calico,
    kind: z.literal('StagedGlobalNetworkPolicy'),
    metadata,
    spec: calicoSpec.extend(global).extend(staged),
  }),
  'projectcalico.org/v3 Tier': z.strictObject({
    apiVersion: calico,
    kind: z.literal('Tier'),
    metadata,
    spec: z.strictObject({
      order: z.number().optional(),
      defaultAction: z.enum(['Deny', 'Pass']).default('Deny'),
    }),
  }),
};
type Shapes = typeof manifest;
export type Manifest = { [Key in keyof Shapes]: z.infer<Shapes[Key]> }[keyof Shapes];
export type KubernetesSpec = z.infer<typeof kubernetesSpec>;
export type CalicoSpec = z.infer<typeof calicoSpec> & { namespaceSelector?: string | undefined };
export type CalicoRule = z.infer<typeof calicoRule>;
export type CalicoEntity = z.infer<typeof entity>;

/** A manifest and where it stands, `policies/immich.yaml, document 2`. */
export interface PlacedManifest {
  readonly place: string;
  readonly manifest: Manifest;
}

const typed = z.looseObject({ apiVersion: z.string(), kind: z.string() });
const list = z.looseObject({ kind: z.literal('List'), items: z.array(z.unknown()) });

/**
 * Reads manifests of the kinds that can be replayed. Whatever is not understood, of kind, field or value, is a problem with
 * its file, document and name: nothing is ignored, because what is ignored could allow or deny.
 */
export function readManifests(files: readonly ManifestFile[]): {
  readonly manifests: readonly PlacedManifest[];
  readonly problems: readonly string[];
} {
  const manifests: PlacedManifest[] = [];
  const problems: string[] = [];
  const take = (value: unknown, place: string) => {
    const items = list.safeParse(value);
    if (items.success) {
      for (const [at, item] of items.data.items.entries()) take(item, `${place}, item ${at + 1}`);
      return;
    }
    const head = typed.safeParse(value);
    if (!head.success) {
      problems.push(`${place} has no apiVersion and kind`);
      return;
    }
    const name = `${head.data.apiVersion} ${head.data.kind}`;
    if (!isKind(name)) {
      problems.push(
        `${place} is a ${name}, which is not understood; known are ${Object.keys(manifest).join(', ')}`,
      );
      return;
    }
    const parsed = manifest[name].safeParse(value);
    if (parsed.success) manifests.push({ place, manifest: parsed.data });
    else problems.push(...parsed.error.issues.flatMap((issue) => describeIssue(place, issue)));
  };
  for (const { path, text } of files) {
    const documents = parseAllDocuments(text);
    for (const [at, document] of documents.entries()) {
      const place = documents.length > 1 ? `${path}, document ${at + 1}` : path;
      const [error] = document.errors;
      if (error) problems.push(`${place} is no YAML: ${error.message.split('\n')[0]}`);
      else if (document.contents !== null) take(document.toJS(), place);
    }
  }
  return { manifests, problems };
}

function isKind(name: string): name is keyof Shapes {
  return Object.hasOwn(manifest, name);
}

function describeIssue(place: string, issue: z.core.$ZodIssue): string[] {
  const path = issue.path.join('.');
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => `${place}: ${path === '' ? '' : `${path}.`}${key} is not understood`);
  return [`${place}: ${path} ${issue.message.replace(/^Invalid input: /, '')}`];
}
