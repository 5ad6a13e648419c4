import type { MapData, MapEdge } from '../../src/queries/map-data.ts';

const madeAt = '2026-11-27T12:00:00.000Z';

function edge(src: string, dst: string, action = 'allow', flows = '42'): MapEdge {
  return {
    src,
    dst,
    action,
    firstSeen: '2026-11-20T08:00:00.000Z',
    lastSeen: '2026-11-27T11:59:45.000Z',
    flows,
  };
}

function mapOf(edges: MapEdge[]): MapData {
  const names = [...new Set(edges.flatMap(({ src, dst }) => [src, dst]))].toSorted();
  const verdicts = ['complete', 'unstable', 'learning', 'stale'] as const;
  return {
    madeAt,
    timeZone: 'Europe/London',
    cluster: '',
    temporalUiUrl: 'http://127.0.0.1:8233/namespaces/default/workflows',
    trailBegan: '2026-11-01T00:00:00.000Z',
    namespaces: names.map((name, index) => ({
      name,
      firstSeen: '2026-11-01T00:00:00.000Z',
      lastSeen: '2026-11-27T11:59:45.000Z',
      verdict: verdicts[index % 4] ?? 'learning',
      coveredDays: 20.5,
      requiredDays: 7,
    })),
    edges,
    externals: [
      { ...edge('immich', 'pub (outside)'), identities: ['immich-server'] },
      { ...edge('pvt (outside)', 'traefik'), action: 'allow' },
      { ...edge('vault', 'pub (outside)', 'deny') },
    ],
    externalDays: 30,
    coverage: [
      { from: '2026-11-01T00:00:00.000Z', to: '2026-11-10T00:00:00.000Z', state: 'final' },
      {
        from: '2026-11-10T00:00:00.000Z',
        to: '2026-11-10T02:00:00.000Z',
        state: 'gap',
        cause: 'worker was down',
      },
      { from: '2026-11-10T02:00:00.000Z', to: '2026-11-27T11:55:00.000Z', state: 'final' },
      { from: '2026-11-27T11:55:00.000Z', to: madeAt, state: 'pending' },
    ],
    isFile: false,
  };
}

/** 14 namespaces with a hub, a chain, a namespace connected only to the hub, and a denied edge. */
export function smallCluster(): MapData {
  const apps = [
    'immich',
    'nextcloud',
    'vault',
    'forgejo',
    'harbor',
    'matrix',
    'n8n',
    'ntfy',
    'wiki',
    'traefik',
  ];
  return mapOf([
    ...apps.map((app) => edge(app, 'dbaas')),
    edge('traefik', 'immich'),
    edge('traefik', 'nextcloud'),
    { ...edge('immich', 'redis'), identities: ['immich-server'] },
    edge('n8n', 'ntfy'),
    edge('radarr', 'vault', 'deny'),
    edge('monitoring', 'ntfy'),
  ]);
}

/** 1,000 namespaces and 20,000 edges: each namespace calls the 20 after it. */
export function largeCluster(): MapData {
  const name = (index: number) => `ns-${String(index % 1_000).padStart(4, '0')}`;
  return mapOf(
    Array.from({ length: 20_000 }, (_, index) => {
      const src = Math.floor(index / 20);
      return edge(name(src), name(src + 1 + (index % 20)));
    }),
  );
}
