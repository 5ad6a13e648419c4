import { useMemo } from 'preact/hooks';
import { findHubs, islands, neighbours, type Pair } from '../model.ts';
import { View } from './list.tsx';

/** Larger tables are slow and unreadable; only the most connected namespaces are shown. */
const maxRows = 120;

interface MatrixProps {
  pairs: readonly Pair[];
  selected: string;
  select: (name: string) => void;
}

/** Callers are rows, callees are columns; namespaces that talk with each other are next to each other, shared ones last. */
export function Matrix({ pairs, selected, select }: MatrixProps) {
  const { order, total } = useMemo(() => orderOf(pairs), [pairs]);
  const cells = useMemo(() => new Map(pairs.map((pair) => [`${pair.src}\n${pair.dst}`, pair])), [pairs]);
  if (pairs.length === 0) return <p class="notice">No edge matches the filters.</p>;
  return (
    <View label="Matrix of namespaces">
      {total > order.length && (
        <p class="notice">
          The {order.length} most connected of {total.toLocaleString('en')} namespaces. Search for a name to
          see others.
        </p>
      )}
      <table class="matrix">
        <caption>
          Rows are sources, columns are destinations. Filled: allowed; crossed: denied; half: both.
        </caption>
        <thead>
          <tr>
            <td />
            {order.map((name) => (
              <th key={name} scope="col" class={name === selected ? 'on' : ''}>
                <span>{name}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {order.map((src) => (
            <tr key={src} class={src === selected ? 'on' : ''}>
              <th scope="row">
                <button type="button" onClick={() => select(src)}>
                  {src}
                </button>
              </th>
              {order.map((dst) => {
                const pair = cells.get(`${src}\n${dst}`);
                if (!pair) return <td key={dst} class={dst === selected ? 'on' : ''} />;
                const text = `${src} to ${dst}: ${pair.edges.map(({ action }) => action).join(', ')}`;
                return (
                  <td key={dst} class={`${pair.kind}${dst === selected ? ' on' : ''}`} title={text}>
                    <span class="visually-hidden">{text}</span>
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </View>
  );
}

function orderOf(pairs: readonly Pair[]): { order: string[]; total: number } {
  const links = neighbours(pairs);
  const names = [...links.keys()].toSorted();
  const kept =
    names.length <= maxRows
      ? names
      : names.toSorted((a, b) => (links.get(b)?.size ?? 0) - (links.get(a)?.size ?? 0)).slice(0, maxRows);
  const inside = new Set(kept);
  const near = pairs.filter(({ src, dst }) => inside.has(src) && inside.has(dst));
  const hubs = findHubs(near);
  const others = islands(kept.toSorted(), near, hubs).flat();
  return {
    order: [...others, ...[...hubs].filter((name) => inside.has(name)).toSorted()],
    total: names.length,
  };
}
