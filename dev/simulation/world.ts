import { every, often, type Cadence } from './cadence.ts';
import { connectApps, connectDenied, connectJobs, connectExternals, choosePolicies } from './app-routes.ts';
import type { NamespacePolicies } from './policies.ts';
import { below, choose, textNumber } from './random.ts';
import { host, pod, PRIVATE, PUBLIC, type End, type Route } from './routes.ts';
import {
  APP_NAMESPACES,
  daemonSet,
  deployment,
  mainWorkload,
  NAMESPACES,
  NODE_COUNT,
  partlyLabelled,
  statefulSet,
  type SystemNamespace,
  type Workload,
} from './workloads.ts';

/** The cluster of one seed: workloads, nodes, routes and policies. */
export interface World {
  readonly seed: number;
  readonly routes: readonly Route[];
  readonly workloads: ReadonlyMap<string, Workload>;
  readonly policies: ReadonlyMap<string, NamespacePolicies>;
}

interface Details extends Partial<Pick<Route, 'protocol' | 'service' | 'verdict' | 'unlisted'>> {
  cadence: Cadence;
}

/** Adds a route between two ends. */
export type Connect = (source: End, destination: End, port: number, details: Details) => void;

const APP_PORTS = [80, 3000, 4180, 5000, 8000, 8080, 8096, 9000] as const;

/**
 * Generates the cluster: about 90 namespaces with the structure described in the requirements, different for each seed.
 */
export function createWorld(seed: number): World {
  const workloads = new Map(NAMESPACES.map((name) => [name, mainWorkload(seed, name)]));
  const routes: Route[] = [];
  const connect: Connect = (source, destination, port, details) => {
    routes.push({
      id: routes.length,
      source,
      destination,
      port,
      protocol: 'tcp',
      verdict: 'allow',
      unlisted: false,
      ...details,
    });
  };
  const of = (namespace: string): Workload => workloads.get(namespace) ?? mainWorkload(seed, namespace);
  const system = (namespace: SystemNamespace): Workload => of(namespace);

  connectDns(seed, connect, of);
  connectDatabases(seed, connect, of);
  connectIngress(seed, connect, of, workloads);
  connectMonitoring(seed, connect, of);
  connectPlatform(seed, connect, system);
  connectApps(seed, connect, of);
  connectExternals(seed, connect, of);
  connectDenied(seed, connect, of);
  connectJobs(seed, connect, of);
  return { seed, routes, workloads, policies: choosePolicies(seed) };
}

/** The main workload of a namespace. */
export type WorkloadOf = (namespace: string) => Workload;

function connectDns(seed: number, connect: Connect, of: WorkloadOf): void {
  const coredns = deployment(seed, 'kube-system', 'coredns', { replicas: 2, identity: 'kube-dns' });
  for (const namespace of NAMESPACES) {
    if (namespace === 'kube-system') continue;
    const service = { name: 'kube-dns', namespace: 'kube-system', portName: 'dns', port: 53 };
    connect(pod(of(namespace)), pod(coredns), 53, { cadence: often(0.78), protocol: 'udp', service });
    connect(pod(of(namespace)), pod(coredns), 53, {
      cadence: often(0.03),
      service: { ...service, portName: 'dns-tcp' },
    });
  }
  connect(pod(coredns), pod(of('technitium')), 53, { cadence: often(0.5), protocol: 'udp' });
  for (let node = 0; node < NODE_COUNT; node++) {
    connect(host(node), pod(coredns), 53, { cadence: often(0.3), protocol: 'udp' });
  }
}

function connectDatabases(seed: number, connect: Connect, of: WorkloadOf): void {
  const postgres = statefulSet(seed, 'dbaas', 'pg-cluster', {
    replicas: 3,
    identity: 'postgresql',
    labels: ['cnpg.io/cluster=pg-cluster'],
  });
  const mysql = statefulSet(seed, 'dbaas', 'mysql-cluster', { identity: 'mysql' });
  // Its pods have no identity label.
  const pooler = deployment(seed, 'dbaas', 'pg-pooler', { replicas: 2 });
  const redis = statefulSet(seed, 'redis', 'redis-node');
  const onPostgres = choose(APP_NAMESPACES, 35, seed, 1);
  const onMysql = choose(
    APP_NAMESPACES.filter((name) => !onPostgres.includes(name)),
    7,
    seed,
    2,
  );
  const rw = { name: 'pg-cluster-rw', namespace: 'dbaas', portName: 'postgres', port: 5432 };
  for (const [index, name] of [...onPostgres, 'authentik', 'goldmane-flow-trail'].entries()) {
    const target = index % 6 === 5 ? pooler : postgres;
    connect(pod(of(name)), pod(target), 5432, {
      cadence: often(0.85),
      service: target === pooler ? { ...rw, name: 'pg-pooler-rw' } : rw,
    });
  }
  connect(pod(pooler), pod(postgres), 5432, { cadence: often(0.95), service: rw });
  for (const name of onMysql) {
    const service = { name: 'mysql-cluster', namespace: 'dbaas', portName: 'mysql', port: 3306 };
    connect(pod(of(name)), pod(mysql), 3306, { cadence: often(0.9), service });
  }
  for (const name of [...choose(APP_NAMESPACES, 26, seed, 3), 'authentik', 'traefik']) {
    const service = { name: 'redis-master', namespace: 'redis', portName: 'redis', port: 6379 };
    connect(pod(of(name)), pod(redis), 6379, { cadence: often(0.85), service });
  }
}

function connectIngress(
  seed: number,
  connect: Connect,
  of: WorkloadOf,
  workloads: Map<string, Workload>,
): void {
  const traefik = deployment(seed, 'traefik', 'traefik', { replicas: 3 });
  workloads.set('traefik', traefik);
  const through = { name: 'traefik', namespace: 'traefik', portName: 'websecure', port: 443 };
  for (const name of choose(APP_NAMESPACES, 46, seed, 23)) {
    const port = APP_PORTS[below(APP_PORTS.length, seed, textNumber(name))] ?? 80;
    connect(pod(traefik), pod(of(name)), port, {
      cadence: often(0.35 + 0.6 * (below(100, seed, 4, textNumber(name)) / 100)),
      service: { name, namespace: name, portName: 'http', port: 80 },
      unlisted: below(4, seed, 5, textNumber(name)) === 0,
    });
  }
  const authentik = { name: 'authentik-server', namespace: 'authentik', portName: 'http', port: 80 };
  connect(pod(traefik), pod(of('authentik')), 9000, { cadence: often(0.9), service: authentik });
  for (const name of choose(APP_NAMESPACES, 10, seed, 6)) {
    connect(pod(of(name)), pod(of('authentik')), 9000, { cadence: often(0.35), service: authentik });
  }
  connect(PUBLIC, pod(traefik), 8443, { cadence: often(1), service: through });
  connect(PRIVATE, pod(traefik), 8443, { cadence: often(0.6), service: through });
  const cdn: End = { kind: 'networkset', name: 'cdn-ranges', namespace: '-', labels: ['role=cdn'] };
  connect(cdn, pod(traefik), 8443, { cadence: often(1), service: through });
}

function connectMonitoring(seed: number, connect: Connect, of: WorkloadOf): void {
  const prometheus = deployment(seed, 'monitoring', 'prometheus-server', { identity: 'prometheus' });
  const grafana = deployment(seed, 'monitoring', 'grafana', { identity: 'grafana' });
  const loki = partlyLabelled(statefulSet(seed, 'monitoring', 'loki', { identity: 'loki' }), NODE_COUNT - 1);
  const alloy = daemonSet('monitoring', 'alloy');
  const states = deployment(seed, 'kube-system', 'kube-state-metrics');
  for (const name of choose(NAMESPACES, 66, seed, 7)) {
    if (name === 'monitoring') continue;
    connect(pod(prometheus), pod(of(name)), 9090, { cadence: every(30) });
  }
  connect(pod(prometheus), pod(states), 8080, { cadence: every(30) });
  connect(pod(prometheus), pod(alloy), 12345, { cadence: every(30) });
  connect(pod(grafana), pod(prometheus), 9090, { cadence: often(0.6) });
  connect(pod(grafana), pod(loki), 3100, { cadence: often(0.3) });
  connect(pod(alloy), pod(loki), 3100, { cadence: often(1) });
  for (let node = 0; node < NODE_COUNT; node++) {
    connect(pod(prometheus), host(node), 9100, { cadence: every(30) });
  }
  const kuma = of('uptime-kuma');
  for (const name of choose(APP_NAMESPACES, 8, seed, 8)) {
    connect(pod(kuma), pod(of(name)), 8080, { cadence: every(60) });
  }
  for (const name of choose(APP_NAMESPACES, 4, seed, 9)) {
    connect(pod(kuma), pod(of(name)), 0, { cadence: every(60), protocol: 'icmp' });
  }
}

function connectPlatform(seed: number, connect: Connect, of: (namespace: SystemNamespace) => Workload): void {
  const apiServer = { name: 'kubernetes', namespace: 'default', portName: 'https', port: 443 };
  const operators = [
    ...(['external-secrets', 'cert-manager', 'cnpg-system', 'kyverno', 'velero', 'descheduler'] as const),
    ...(['reloader', 'keel', 'metallb-system', 'trivy-system', 'nfs-csi'] as const),
  ];
  for (const name of operators) {
    connect(pod(of(name)), host(0), 6443, { cadence: often(0.8), service: apiServer });
    connect(host(0), pod(of(name)), 9443, { cadence: often(0.1) });
  }
  const goldmane = deployment(seed, 'calico-system', 'goldmane');
  const listening = { name: 'goldmane', namespace: 'calico-system', portName: 'goldmane', port: 7443 };
  for (let node = 0; node < NODE_COUNT; node++) {
    connect(host(node), pod(goldmane), 7443, { cadence: often(0.9), service: listening });
  }
  connect(pod(of('goldmane-flow-trail')), pod(goldmane), 7443, { cadence: often(0.9), service: listening });
  connect(pod(of('external-secrets')), pod(of('vault')), 8200, { cadence: often(0.8) });
  connect(pod(of('cnpg-system')), pod(statefulSet(seed, 'dbaas', 'pg-cluster', { replicas: 3 })), 8000, {
    cadence: often(0.9),
  });
  connect(pod(of('trivy-system')), PUBLIC, 443, { cadence: often(0.2) });
  connect(pod(of('cloudflared')), pod(of('traefik')), 8443, { cadence: often(0.9) });
  connect(pod(of('traefik')), pod(of('crowdsec')), 8080, { cadence: often(0.7) });
}
