import { useMemo } from 'preact/hooks';
import type { MapData } from '../../../queries/map-data.ts';
import { neighbours, type Pair } from '../model.ts';
import type { Route } from '../route.ts';

interface NamespaceListProps {
  data: MapData;
  shown: readonly Pair[];
  route: Route;
  select: (name: string) => void;
}

/** Every namespace of the picture as a list, for selection by keyboard, by screen reader and on a phone. */
export function NamespaceList({ data, shown, route, select }: NamespaceListProps) {
  const links = useMemo(() => neighbours(shown), [shown]);
  const verdicts = useMemo(
    () => new Map(data.namespaces.map(({ name, verdict }) => [name, verdict])),
    [data],
  );
  const names = useMemo(() => [...links.keys()].toSorted(), [links]);
  return (
    <nav class="names" aria-label="Namespaces">
      <h2>
        Namespaces <small>{names.filter((name) => verdicts.has(name)).length.toLocaleString('en')}</small>
      </h2>
      <ul>
        {names.map((name) => (
          <li key={name}>
            <button type="button" aria-pressed={name === route.namespace} onClick={() => select(name)}>
              <span
                class={`dot ${verdicts.has(name) ? (verdicts.get(name) ?? 'none') : 'external'}`}
                aria-hidden="true"
              />
              <span class="label">{name}</span>
              <small>{links.get(name)?.size}</small>
            </button>
          </li>
        ))}
      </ul>
    </nav>
  );
}
