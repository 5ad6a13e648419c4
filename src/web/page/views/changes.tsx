import type { MapData, MapEdge } from '../../../queries/map-data.ts';
import { counted, type Times } from '../format.ts';
import type { Route } from '../route.ts';
import { Action, Name } from './edges.tsx';

interface ChangesProps {
  data: MapData;
  route: Route;
  times: Times;
  go: (change: Partial<Route>) => void;
  select: (name: string) => void;
}

const weekMs = 7 * 86_400_000;

/** What changed between two times: edges that appeared, and edges that were not seen after the later one. */
export function Changes({ data, route, times, go, select }: ChangesProps) {
  const nowMs = Date.parse(data.madeAt);
  const toMs = route.to === '' ? nowMs : Date.parse(route.to);
  const fromMs = route.from === '' ? toMs - weekMs : Date.parse(route.from);
  const isUsable = Number.isFinite(fromMs) && Number.isFinite(toMs) && fromMs < toMs;
  const appeared = data.edges.filter(({ firstSeen }) => isWithin(firstSeen, fromMs, toMs));
  const silent = data.edges.filter(
    ({ firstSeen, lastSeen }) =>
      Date.parse(firstSeen) < fromMs &&
      isWithin(lastSeen, fromMs, toMs) &&
      Date.parse(lastSeen) < toMs - weekMs / 7,
  );
  const before = new Set(
    data.edges
      .filter(({ action, firstSeen }) => action === 'allow' && Date.parse(firstSeen) < fromMs)
      .map(pairOf),
  );
  const denied = appeared.filter((edge) => edge.action === 'deny' && before.has(pairOf(edge)));
  const gaps = data.coverage.filter(
    ({ state, from, to }) =>
      (state === 'gap' || state === 'incomplete') && Date.parse(to) > fromMs && Date.parse(from) < toMs,
  );
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Changes between two times">
      <form class="period" onSubmit={(event) => event.preventDefault()}>
        <TimeField label="From" ms={fromMs} onChange={(from) => go({ from })} />
        <TimeField label="To" ms={toMs} onChange={(to) => go({ to })} />
      </form>
      {!isUsable && <p class="notice error">The first time must be before the second one.</p>}
      {gaps.length > 0 && (
        <p class="notice error">
          Not fully observed in this period: {counted(gaps.length, 'stretch')}.{' '}
          <a href="#/coverage">Coverage</a>
        </p>
      )}
      <Group title="Allowed before, denied now" edges={denied} {...{ times, select }} />
      <Group title="Appeared" edges={appeared} {...{ times, select }} />
      <Group title="Fell silent" edges={silent} {...{ times, select }} />
    </div>
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
            <li key={`${pairOf(edge)}\n${edge.action}`}>
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

/** A time in the browser's zone, because that is what such a field edits; written into the address in UTC. */
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

function isWithin(iso: string, fromMs: number, toMs: number): boolean {
  const ms = Date.parse(iso);
  return ms >= fromMs && ms < toMs;
}

function pairOf({ src, dst }: MapEdge): string {
  return `${src}\n${dst}`;
}
