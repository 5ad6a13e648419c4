import { useMemo } from 'preact/hooks';
import type { MapChanges, MapData, MapEdge } from '../../../queries/map-data.ts';
import { readChanges } from '../api.ts';
import { counted, type Times } from '../format.ts';
import { changesByPair, pairKey, pairsOf, type Change } from '../model.ts';
import { formatRoute, type Route } from '../route.ts';
import { Action, Name } from './edges.tsx';
import { Overview } from './overview.tsx';
import { useAnswer } from '../use-answer.ts';

interface ChangesProps {
  data: MapData;
  route: Route;
  times: Times;
  go: (change: Partial<Route>) => void;
  select: (name: string) => void;
  externals: ReadonlySet<string>;
}

const weekMs = 7 * 86_400_000;

/** The changes between two times, as in `flow-trail diff`: as lists, or on the map. */
export function Changes({ data, route, times, go, select, externals }: ChangesProps) {
  const nowMs = Date.parse(data.madeAt);
  const toMs = route.to === '' ? nowMs : Date.parse(route.to);
  const fromMs = route.from === '' ? toMs - weekMs : Date.parse(route.from);
  const isUsable = Number.isFinite(fromMs) && Number.isFinite(toMs) && fromMs < toMs;
  const found = useChanges(data, isUsable ? { fromMs, toMs } : undefined);
  const changes = typeof found === 'string' ? undefined : found;
  const marks = useMemo(() => changes && changesByPair(changes), [changes]);
  const pairs = useMemo(() => pairsOf(data.edges), [data.edges.length]);
  const isMap = route.show === 'map';
  return (
    <div
      class={isMap ? 'compare' : 'scroll'}
      tabIndex={0}
      role="region"
      aria-label="Changes between two times"
    >
      <form class="period" onSubmit={(event) => event.preventDefault()}>
        {!data.isFile && (
          <>
            <TimeField label="From" ms={fromMs} onChange={(from) => go({ from })} />
            <TimeField label="To" ms={toMs} onChange={(to) => go({ to })} />
          </>
        )}
        <a href={formatRoute({ ...route, show: isMap ? 'list' : 'map' })}>
          {isMap ? 'Show as lists' : 'Show on the map'}
        </a>
        {isMap && changes && <Legend changes={changes} />}
      </form>
      {!isUsable && <p class="notice error">The start must be before the end.</p>}
      {isUsable && found === undefined && <p class="notice">Comparing…</p>}
      {typeof found === 'string' && <p class="notice error">{found}</p>}
      {changes && changes.notCovered.length > 0 && (
        <p class="notice error">
          Not fully observed in this period: {counted(changes.notCovered.length, 'time range')}.{' '}
          <a href="#/coverage">Coverage</a>
        </p>
      )}
      {changes && isMap && (
        <Overview
          pairs={pairs}
          selected={route.namespace}
          {...{ select, externals }}
          {...(marks ? { changes: marks } : {})}
        />
      )}
      {changes && !isMap && (
        <>
          <Group title="Allowed before, denied now" edges={changes.allowedToDenied} {...{ times, select }} />
          <Group title="Denied before, allowed now" edges={changes.deniedToAllowed} {...{ times, select }} />
          <Group title="Appeared" edges={changes.appeared} {...{ times, select }} />
          <Group
            title={`Fell silent: no flow for ${changes.silentDays} days`}
            edges={changes.fellSilent}
            {...{ times, select }}
          />
          <NewPorts changes={changes} times={times} />
        </>
      )}
    </div>
  );
}

/** The changes, an error, or undefined while loading. */
function useChanges(
  data: MapData,
  period: { fromMs: number; toMs: number } | undefined,
): MapChanges | string | undefined {
  // Without chosen times, the period moves with each update; rounding to the minute keeps the result stable for a
  // while.
  const [from, to] = period
    ? [period.fromMs, period.toMs].map((ms) => new Date(Math.floor(ms / 60_000) * 60_000).toISOString())
    : [];
  const found = useAnswer(
    from === undefined || to === undefined ? undefined : (signal) => readChanges(data, { from, to }, signal),
    [data.isFile, from, to],
  );
  return period && found;
}

const legend: readonly [
  Change,
  string,
  keyof MapChanges & ('appeared' | 'fellSilent' | 'allowedToDenied' | 'deniedToAllowed'),
][] = [
  ['appeared', 'appeared', 'appeared'],
  ['fell-silent', 'fell silent', 'fellSilent'],
  ['now-denied', 'allowed before, denied now', 'allowedToDenied'],
  ['now-allowed', 'denied before, allowed now', 'deniedToAllowed'],
];

function Legend({ changes }: { changes: MapChanges }) {
  return (
    <ul class="legend" aria-label="Legend">
      {legend.map(([change, text, group]) => (
        <li key={change}>
          <span class={`line ${change}`} /> {text} ({changes[group].length})
        </li>
      ))}
    </ul>
  );
}

function NewPorts({ changes, times }: { changes: MapChanges; times: Times }) {
  const { newPorts } = changes;
  return (
    <section>
      <h3>
        New ports, including those of endpoints outside the cluster{' '}
        <small>{counted(newPorts.length, 'pair')}</small>
      </h3>
      {newPorts.length > 0 && (
        <ul class="changes">
          {newPorts.slice(0, 500).map(({ src, dst, ports, action, firstSeen }) => (
            <li key={`${src}\n${dst}\n${action}`}>
              {src} → {dst} <Action action={action} />{' '}
              <small>
                {ports.length > 8 ? `${ports.length} ports` : ports.join(', ')}, first seen{' '}
                {times.minute(firstSeen)}
              </small>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Group({
  title,
  edges,
  times,
  select,
}: {
  title: string;
  edges: readonly MapEdge[];
  times: Times;
  select: (name: string) => void;
}) {
  return (
    <section>
      <h3>
        {title} <small>{counted(edges.length, 'edge')}</small>
      </h3>
      {edges.length > 0 && (
        <ul class="changes">
          {edges.slice(0, 500).map((edge) => (
            <li key={`${pairKey(edge)}\n${edge.action}`}>
              <Name name={edge.src} select={select} /> → <Name name={edge.dst} select={select} />{' '}
              <Action action={edge.action} />{' '}
              <small>
                first seen {times.minute(edge.firstSeen)}, last seen {times.minute(edge.lastSeen)}
              </small>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** A time in the browser's zone, as the input field requires; stored in the address in UTC. */
export function TimeField({
  label,
  ms,
  onChange,
}: {
  label: string;
  ms: number;
  onChange: (iso: string) => void;
}) {
  const local = Number.isFinite(ms)
    ? new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
    : '';
  return (
    <label>
      {label}{' '}
      <input
        type="datetime-local"
        value={local}
        onChange={({ currentTarget }) => {
          const chosen = new Date(currentTarget.value);
          if (!Number.isNaN(chosen.getTime())) onChange(chosen.toISOString());
        }}
      />
    </label>
  );
}
