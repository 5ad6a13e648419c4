import { useMemo, useState } from 'preact/hooks';
import type { MapData } from '../../queries/map-data.ts';
import { counted, type Times } from './format.ts';
import { actionOf, externalsOf, noFilters, type Filters as FilterValues, type Route } from './route.ts';

interface FiltersProps {
  data: MapData;
  route: Route;
  /** The number of edges that pass the filters. */
  shown: number;
  times: Times;
  go: (change: Partial<Route>) => void;
}

const sliderSteps = 200;

export function Filters({ data, route, shown, times, go }: FiltersProps) {
  const { filters } = route;
  /** Only narrow screens fold the filters. */
  const [isFolded, setFolded] = useState(true);
  const { search: _search, ...others } = filters;
  const used = Object.entries(others).filter(([, value]) => value !== '' && value !== 0).length;
  const set = (change: Partial<FilterValues>) => go({ filters: { ...filters, ...change } });
  const identities = useMemo(
    () =>
      [
        ...new Set([
          ...[...data.edges, ...data.externals].flatMap((edge) => edge.identities ?? []),
          // A value from the address stays selected, even if no edge has it.
          ...(filters.identity === '' ? [] : [filters.identity]),
        ]),
      ].toSorted(),
    [data, filters.identity],
  );
  const firsts = data.edges.map(({ firstSeen }) => Date.parse(firstSeen));
  const [oldest, newest] = [firsts.reduce((a, b) => Math.min(a, b), Infinity), Date.parse(data.madeAt)];
  const span = newest - oldest;
  const position =
    filters.firstSeenUntil === 0 || span <= 0
      ? sliderSteps
      : Math.round(((filters.firstSeenUntil - oldest) / span) * sliderSteps);
  const until =
    filters.firstSeenUntil === 0 ? 'now' : times.minute(new Date(filters.firstSeenUntil).toISOString());
  const total =
    (filters.externals === 'only' ? 0 : data.edges.length) +
    (filters.externals === '' ? 0 : data.externals.length);
  return (
    <form
      class={isFolded ? 'filters folded' : 'filters'}
      role="search"
      onSubmit={(event) => event.preventDefault()}
    >
      <label class="search">
        Search{' '}
        <input
          type="search"
          placeholder="namespace"
          value={filters.search}
          onInput={({ currentTarget }) => set({ search: currentTarget.value })}
        />
      </label>
      <button type="button" class="fold" aria-expanded={!isFolded} onClick={() => setFolded(!isFolded)}>
        Filters{used > 0 && ` (${used})`}
      </button>
      <label>
        Action{' '}
        <select
          value={filters.action}
          onChange={({ currentTarget }) => set({ action: actionOf(currentTarget.value) })}
        >
          <option value="">any</option>
          <option value="allow">allowed</option>
          <option value="deny">denied</option>
          <option value="pass">passed</option>
          <option value="unspecified">unspecified</option>
        </select>
      </label>
      <label>
        Outside{' '}
        <select
          value={filters.externals}
          title={`Hosts, networks and network sets, within ${data.externalDays} days`}
          onChange={({ currentTarget }) => set({ externals: externalsOf(currentTarget.value) })}
        >
          <option value="">hidden</option>
          <option value="show">shown</option>
          <option value="only">only</option>
        </select>
      </label>
      {identities.length > 0 && (
        <label>
          Identity{' '}
          <select
            value={filters.identity}
            onChange={({ currentTarget }) => set({ identity: currentTarget.value })}
          >
            <option value="">any</option>
            {identities.map((identity) => (
              <option key={identity} value={identity}>
                {identity}
              </option>
            ))}
          </select>
        </label>
      )}
      <Days
        label="Seen within"
        value={filters.seenWithinDays}
        onChange={(seenWithinDays) => set({ seenWithinDays })}
      />
      <Days
        label="New within"
        value={filters.newWithinDays}
        onChange={(newWithinDays) => set({ newWithinDays })}
      />
      <label class="slider">
        First seen until <output>{until}</output>
        <input
          type="range"
          min={0}
          max={sliderSteps}
          value={position}
          disabled={span <= 0 || !Number.isFinite(span)}
          onInput={({ currentTarget }) => {
            const at = Number(currentTarget.value);
            set({ firstSeenUntil: at >= sliderSteps ? 0 : Math.round(oldest + (span * at) / sliderSteps) });
          }}
        />
      </label>
      <p aria-live="polite">
        {counted(shown, 'edge')} of {total.toLocaleString('en')}
      </p>
      {JSON.stringify(filters) !== JSON.stringify(noFilters) && (
        <button type="button" onClick={() => go({ filters: noFilters })}>
          Clear filters
        </button>
      )}
    </form>
  );
}

const choices = [1, 7, 30, 90];

function Days({
  label,
  value,
  onChange,
}: {
  label: string;
  value: number;
  onChange: (days: number) => void;
}) {
  return (
    <label>
      {label}{' '}
      <select value={String(value)} onChange={({ currentTarget }) => onChange(Number(currentTarget.value))}>
        <option value="0">any time</option>
        {choices.map((days) => (
          <option key={days} value={String(days)}>
            {days === 1 ? '24 hours' : `${days} days`}
          </option>
        ))}
      </select>
    </label>
  );
}
