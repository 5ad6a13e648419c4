import { job, often } from './cadence.ts';
import type { NamespacePolicies } from './policies.ts';
import { below, choose, textNumber } from './random.ts';
import { pod, PRIVATE, PUBLIC, type End } from './routes.ts';
import { APP_NAMESPACES, deployment, NAMESPACES, statefulSet } from './workloads.ts';
import type { Connect, WorkloadOf } from './world.ts';

export function connectApps(seed: number, connect: Connect, of: WorkloadOf): void {
  for (const name of choose(APP_NAMESPACES, 6, seed, 10)) {
    connect(pod(of(name)), pod(of('vault')), 8200, { cadence: often(0.2) });
  }
  for (const name of choose(APP_NAMESPACES, 18, seed, 11)) {
    connect(pod(of(name)), pod(of(name)), 8080, { cadence: often(0.5) });
  }
  // Media and notification chains: one app calls another.
  for (let pair = 0; pair < 22; pair++) {
    const source = APP_NAMESPACES[below(APP_NAMESPACES.length, seed, 12, pair)];
    const target = APP_NAMESPACES[below(APP_NAMESPACES.length, seed, 13, pair)];
    if (source === undefined || target === undefined || source === target) continue;
    const service = { name: target, namespace: target, portName: 'http', port: 80 };
    connect(pod(of(source)), pod(of(target)), 8080, {
      cadence: often(0.45),
      service,
      unlisted: pair % 3 === 0,
    });
  }
  for (const name of choose(APP_NAMESPACES, 5, seed, 14)) {
    connect(pod(of(name)), pod(of('mailserver')), 587, { cadence: often(0.1) });
  }
}

export function connectExternals(seed: number, connect: Connect, of: WorkloadOf): void {
  for (const name of choose(APP_NAMESPACES, 34, seed, 15)) {
    connect(pod(of(name)), PUBLIC, 443, { cadence: often(0.8), unlisted: true });
  }
  for (const name of choose(APP_NAMESPACES, 4, seed, 16)) {
    connect(pod(of(name)), PRIVATE, 445, { cadence: often(0.9) });
  }
  const cameras: End = {
    kind: 'networkset',
    name: 'cameras',
    namespace: 'home-assistant',
    labels: ['role=camera'],
  };
  connect(pod(of('frigate')), cameras, 554, { cadence: often(1) });
  connect(pod(of('home-assistant')), cameras, 80, { cadence: often(0.3) });
}

export function connectDenied(seed: number, connect: Connect, of: WorkloadOf): void {
  const postgres = statefulSet(seed, 'dbaas', 'pg-cluster', {
    replicas: 3,
    identity: 'postgresql',
    labels: ['cnpg.io/cluster=pg-cluster'],
  });
  for (const name of choose(APP_NAMESPACES, 4, seed, 17)) {
    connect(pod(of(name)), pod(postgres), 5432, { cadence: often(0.4), verdict: 'deny at source' });
  }
  connect(pod(of('searxng')), PUBLIC, 25, { cadence: often(0.2), verdict: 'deny at source' });
  const targets = choose(APP_NAMESPACES, 9, seed, 18);
  for (const [index, name] of targets.entries()) {
    const source = index % 2 === 0 ? 'trivy-system' : (targets[index - 1] ?? 'whisper');
    const verdict = index === 8 ? 'stale deny' : 'deny at destination';
    connect(pod(of(source)), pod(of(name)), 8080, { cadence: often(0.35), verdict });
  }
}

export function connectJobs(seed: number, connect: Connect, of: WorkloadOf): void {
  const periods = ['hour', 'hour', 'hour', 'day', 'day', 'week'] as const;
  for (const [index, name] of choose(APP_NAMESPACES, 18, seed, 19).entries()) {
    const cadence = job(periods[index % periods.length] ?? 'hour');
    const backup = deployment(seed, name, `${name}-job`);
    const target = index % 2 === 0 ? of('ntfy') : of('forgejo');
    connect(pod(backup), pod(target), 80, { cadence });
  }
  const postgresBackup = statefulSet(seed, 'dbaas', 'pg-backup');
  connect(pod(postgresBackup), PRIVATE, 2049, { cadence: job('hour') });
  connect(pod(of('velero')), PUBLIC, 443, { cadence: job('day') });
  connect(pod(of('descheduler')), pod(of('vault')), 8200, { cadence: job('week') });
}

export function choosePolicies(seed: number): Map<string, NamespacePolicies> {
  return new Map(
    NAMESPACES.map((name) => [
      name,
      {
        observed: below(10, seed, 20, textNumber(name)) < 3,
        caught:
          name === 'immich' || (APP_NAMESPACES.includes(name) && below(10, seed, 23, textNumber(name)) < 2),
        staged: name === 'immich' || below(10, seed, 21, textNumber(name)) < 4,
        guarded: below(10, seed, 22, textNumber(name)) < 2,
      },
    ]),
  );
}
