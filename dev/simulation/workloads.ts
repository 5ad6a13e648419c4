import { below, mix, textNumber } from './random.ts';

/** Number of nodes that report to Goldmane. */
export const NODE_COUNT = 6;

/** The pods of one controller: a name as Felix aggregates it, labels, and the nodes its pods run on. */
export interface Workload {
  readonly name: string;
  readonly namespace: string;
  readonly labels: readonly string[];
  /** Labels of the pods on one node, if they differ from those on other nodes. */
  readonly labelsOnNode?: { node: number; labels: readonly string[] };
  readonly nodes: readonly number[];
}

/** Infrastructure namespaces; world.ts defines their routes. */
const SYSTEM = [
  ...['kube-system', 'monitoring', 'dbaas', 'redis', 'traefik', 'authentik', 'vault', 'external-secrets'],
  ...['cert-manager', 'cnpg-system', 'kyverno', 'calico-system', 'velero', 'descheduler', 'reloader', 'keel'],
  ...['crowdsec', 'cloudflared', 'trivy-system', 'nfs-csi', 'metallb-system', 'technitium', 'uptime-kuma'],
  ...['mailserver', 'headscale', 'wireguard', 'goldmane-flow-trail'],
] as const;

/** Namespaces with one service each, reached through the ingress. */
const APPS = [
  ...[
    'actualbudget',
    'audiobookshelf',
    'bazarr',
    'blog',
    'bookstack',
    'calibre',
    'changedetection',
    'cyberchef',
  ],
  ...['dashy', 'docmost', 'drawio', 'element', 'excalidraw', 'firefly-iii', 'forgejo', 'freshrss', 'frigate'],
  ...['gotify', 'grocy', 'hackmd', 'harbor', 'home-assistant', 'homepage', 'immich', 'jellyfin', 'kavita'],
  ...[
    'linkwarden',
    'lidarr',
    'mastodon',
    'matrix',
    'mealie',
    'memos',
    'miniflux',
    'n8n',
    'navidrome',
    'netbox',
  ],
  ...['nextcloud', 'ntfy', 'ollama', 'open-webui', 'outline', 'paperless-ngx', 'photoprism', 'plausible'],
  ...['prowlarr', 'qbittorrent', 'radarr', 'roundcube', 'rybbit', 'searxng', 'shlink', 'sonarr', 'speedtest'],
  ...['stirling-pdf', 'tandoor', 'umami', 'vaultwarden', 'vikunja', 'wallabag', 'website', 'whisper', 'wiki'],
  ...['woodpecker'],
] as const;

export type SystemNamespace = (typeof SYSTEM)[number];

export const APP_NAMESPACES: readonly string[] = APPS;
export const NAMESPACES: readonly string[] = [...SYSTEM, ...APPS];

/** The pods of a namespace with one service of the same name. */
export function mainWorkload(seed: number, namespace: string): Workload {
  return deployment(seed, namespace, namespace);
}

interface Placing {
  replicas?: number;
  identity?: string;
  labels?: readonly string[];
}

/** Pods of a Deployment: its name, the hash of its ReplicaSet, a star. */
export function deployment(seed: number, namespace: string, name: string, placing: Placing = {}): Workload {
  const hash = templateHash(seed, namespace, name);
  return {
    name: `${name}-${hash}-*`,
    namespace,
    labels: sorted([
      `app.kubernetes.io/name=${name}`,
      `pod-template-hash=${hash}`,
      ...(placing.identity === undefined ? [] : [`service-identity=${placing.identity}`]),
      ...(placing.labels ?? []),
    ]),
    nodes: place(seed, namespace, name, placing.replicas ?? 1),
  };
}

/** Pods of a StatefulSet, or of an operator that names them so. */
export function statefulSet(seed: number, namespace: string, name: string, placing: Placing = {}): Workload {
  return {
    name: `${name}-*`,
    namespace,
    labels: sorted([
      `app.kubernetes.io/name=${name}`,
      ...(placing.identity === undefined ? [] : [`service-identity=${placing.identity}`]),
      ...(placing.labels ?? []),
    ]),
    nodes: place(seed, namespace, name, placing.replicas ?? 1),
  };
}

/** A pod on every node. */
export function daemonSet(namespace: string, name: string): Workload {
  return {
    name: `${name}-*`,
    namespace,
    labels: sorted([`app.kubernetes.io/name=${name}`, 'pod-template-generation=3']),
    nodes: Array.from({ length: NODE_COUNT }, (_, node) => node),
  };
}

/**
 * The same pods, but those on one node lack the identity label: in a record to which both contributed, Goldmane keeps
 * only the common labels.
 */
export function partlyLabelled(workload: Workload, node: number): Workload {
  const labels = workload.labels.filter((label) => !label.startsWith('service-identity='));
  return { ...workload, nodes: [...new Set([...workload.nodes, node])], labelsOnNode: { node, labels } };
}

export function labelsOn(workload: Workload, node: number): readonly string[] {
  return workload.labelsOnNode?.node === node ? workload.labelsOnNode.labels : workload.labels;
}

/** Most pods run on the first nodes; the last two nodes are small, and one of them is often late. */
const NODE_WEIGHTS = [25, 22, 20, 17, 9, 7] as const;

function place(seed: number, namespace: string, name: string, replicas: number): number[] {
  const nodes = new Set<number>();
  for (let attempt = 0; nodes.size < Math.min(replicas, NODE_COUNT); attempt++) {
    nodes.add(weightedNode(below(100, seed, textNumber(namespace), textNumber(name), attempt)));
  }
  return [...nodes];
}

function weightedNode(percent: number): number {
  let sum = 0;
  for (const [node, weight] of NODE_WEIGHTS.entries()) {
    sum += weight;
    if (percent < sum) return node;
  }
  return NODE_COUNT - 1;
}

function templateHash(seed: number, namespace: string, name: string): string {
  const letters = 'bcdfghjklmnpqrstvwxz2456789';
  const hash = Array.from({ length: 9 }, (_, position) =>
    letters.charAt(mix(seed, textNumber(namespace), textNumber(name), position) % letters.length),
  );
  return hash.join('');
}

function sorted(labels: readonly string[]): string[] {
  return labels.toSorted();
}
