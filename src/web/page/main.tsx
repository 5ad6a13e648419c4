import { render } from 'preact';
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { MapData } from '../../queries/map-data.ts';
import { readMapData } from './api.ts';
import { Filters } from './filters.tsx';
import { timesOf } from './format.ts';
import { externalNames, filterEdges, pairsOf } from './model.ts';
import { formatRoute, parseRoute, views, type Route, type View } from './route.ts';
import { Changes } from './views/changes.tsx';
import { Coverage, CoverageStrip } from './views/coverage.tsx';
import { Edges } from './views/edges.tsx';
import { Health, HealthBadge, useHealth } from './views/health.tsx';
import { Incident } from './views/incident.tsx';
import { Matrix } from './views/matrix.tsx';
import { Namespace } from './views/namespace.tsx';
import { NamespaceList } from './views/namespace-list.tsx';
import { Overview } from './views/overview.tsx';
import { Readiness } from './views/readiness.tsx';
import { Runs } from './views/runs.tsx';

/** New flows reach the database within half a minute. */
const refreshMs = 30_000;

const titles: Record<View, string> = {
  overview: 'Map',
  matrix: 'Matrix',
  edges: 'Edges',
  changes: 'Changes',
  incident: 'Incident',
  coverage: 'Coverage',
  readiness: 'Readiness',
  runs: 'Runs',
  health: 'Health',
};

/** The views that the filters apply to. */
const filtered: readonly View[] = ['overview', 'matrix', 'edges'];

function App() {
  const route = useRoute();
  const { data, error } = useMapData();
  const health = useHealth(data);
  const go = useCallback(
    (change: Partial<Route>) => {
      location.hash = formatRoute({ ...route, ...change });
    },
    [route],
  );
  const select = useSelect(route, go);
  const shown = useShown(data, route);
  const main = useRef<HTMLElement>(null);
  const externals = useMemo(() => (data ? externalNames(data) : new Set<string>()), [data]);

  const { view, namespace } = route;
  const hasPanel = namespace !== '' && view !== 'incident' && !externals.has(namespace);
  useTitle([namespace, titles[view], data?.cluster ?? '']);
  useEscape(hasPanel, () => select(''));
  if (!data) return <p class="notice">{error ?? 'Loading…'}</p>;
  const times = timesOf(data.timeZone, data.madeAt);
  return (
    <>
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
      >
        Skip to the view
      </a>
      <header class="top">
        <h1>flow-trail{data.cluster === '' ? '' : ` · ${data.cluster}`}</h1>
        <nav aria-label="Views">
          {views.map((name) => (
            <a
              key={name}
              href={formatRoute({ ...route, view: name })}
              aria-current={name === view ? 'page' : undefined}
            >
              {titles[name]}
            </a>
          ))}
        </nav>
        <HealthBadge health={health} />
        <CoverageStrip coverage={data.coverage} times={times} />
        <p class="made">
          {times.minute(data.madeAt)} {data.timeZone}
          {error && <span class="error"> not updated: {error}</span>}
        </p>
      </header>
      {filtered.includes(view) && (
        <Filters data={data} route={route} shown={shown.edges.length} times={times} go={go} />
      )}
      <div class={`body view-${view}`}>
        <NamespaceList data={data} shown={shown.pairs} route={route} select={select} />
        <main id="main" tabIndex={-1} ref={main} aria-label={titles[view]}>
          <h2 class="visually-hidden">{titles[view]}</h2>
          {view === 'overview' && (
            <Overview pairs={shown.pairs} selected={namespace} {...{ select, externals }} />
          )}
          {view === 'matrix' && <Matrix pairs={shown.pairs} selected={namespace} select={select} />}
          {view === 'edges' && <Edges edges={shown.edges} times={times} select={select} />}
          {view === 'changes' && <Changes {...{ data, route, times, go, select, externals }} />}
          {view === 'incident' && <Incident {...{ data, route, times, go }} />}
          {view === 'coverage' && <Coverage coverage={data.coverage} times={times} />}
          {view === 'readiness' && <Readiness data={data} times={times} select={select} />}
          {view === 'runs' && <Runs data={data} times={times} />}
          {view === 'health' && <Health health={health} isFile={data.isFile} />}
        </main>
        {hasPanel && <Namespace data={data} name={namespace} times={times} select={select} />}
      </div>
    </>
  );
}

/** Tells tabs and entries of the history apart. */
function useTitle(parts: readonly string[]): void {
  const title = [...parts.filter((part) => part !== ''), 'flow-trail'].join(' · ');
  useEffect(() => {
    document.title = title;
  }, [title]);
}

/** In a field, Escape has a meaning of its own. */
function useEscape(isActive: boolean, close: () => void): void {
  const latest = useRef(close);
  latest.current = close;
  useEffect(() => {
    if (!isActive) return undefined;
    const onKey = ({ key, target }: KeyboardEvent) => {
      const isField = target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
      if (key === 'Escape' && !isField) latest.current();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [isActive]);
}

function useRoute(): Route {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  useEffect(() => {
    const onChange = () => setRoute(parseRoute(location.hash));
    addEventListener('hashchange', onChange);
    return () => removeEventListener('hashchange', onChange);
  }, []);
  return route;
}

/** The same function while the route changes, so that a click does not redraw the picture. */
function useSelect(route: Route, go: (change: Partial<Route>) => void): (name: string) => void {
  const latest = useRef({ route, go });
  latest.current = { route, go };
  return useCallback((name: string) => {
    latest.current.go({ namespace: name });
  }, []);
}

function useMapData(): { data: MapData | undefined; error: string | undefined } {
  const [data, setData] = useState<MapData>();
  const [error, setError] = useState<string>();
  useEffect(() => {
    const aborting = new AbortController();
    const read = () =>
      readMapData(aborting.signal).then(
        (fresh) => {
          setData(fresh);
          setError(undefined);
          return fresh;
        },
        (reason: unknown) => {
          if (!aborting.signal.aborted) setError(reason instanceof Error ? reason.message : String(reason));
          return undefined;
        },
      );
    let timer: ReturnType<typeof setInterval> | undefined;
    void read().then((fresh) => {
      if (fresh?.isFile !== true) timer = setInterval(() => void (document.hidden || read()), refreshMs);
    });
    return () => {
      aborting.abort();
      clearInterval(timer);
    };
  }, []);
  return { data, error };
}

/** Returns the same pairs if nothing changed, so that an update does not redraw the picture. */
function useShown(data: MapData | undefined, { filters }: Route) {
  const edges = useMemo(() => (data ? filterEdges(data, filters) : []), [data, JSON.stringify(filters)]);
  const signature = useMemo(
    () =>
      edges
        .map(({ src, dst, action }) => `${src}\t${dst}\t${action}`)
        .toSorted()
        .join('\n'),
    [edges],
  );
  const pairs = useMemo(() => pairsOf(edges), [signature]);
  return { edges, pairs };
}

const root = document.getElementById('app');
if (root) render(<App />, root);
