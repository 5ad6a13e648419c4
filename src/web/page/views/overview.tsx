import type { Core, NodeSingular } from 'cytoscape';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { drawGraph, fitTo, restyle, showSelection, zoom } from '../graph.ts';
import { placeGroups } from '../layout.ts';
import { findHubs, islands, type Change, type Pair } from '../model.ts';

/**
 * Above these sizes the picture is unreadable and drawing takes longer than a frame, so the page shows lists instead.
 */
const maxDrawnNamespaces = 300;
const maxDrawnPairs = 3_000;

interface OverviewProps {
  pairs: readonly Pair[];
  selected: string;
  select: (name: string) => void;
  /** Endpoints outside the cluster. */
  externals: ReadonlySet<string>;
  /** When two times are compared: the change of each pair, by `pairKey`. */
  changes?: ReadonlyMap<string, Change>;
}

export function Overview({ pairs, selected, select, externals, changes }: OverviewProps) {
  const container = useRef<HTMLDivElement>(null);
  const drawn = useRef<Core | undefined>(undefined);
  const [isPlacing, setPlacing] = useState(true);
  const names = useMemo(() => [...new Set(pairs.flatMap(({ src, dst }) => [src, dst]))].toSorted(), [pairs]);
  const hubs = useMemo(() => findHubs(pairs), [pairs]);
  const isTooLarge = names.length > maxDrawnNamespaces || pairs.length > maxDrawnPairs;

  useEffect(() => {
    if (isTooLarge || !container.current) return undefined;
    let isGone = false;
    setPlacing(true);
    const element = container.current;
    void placeGroups(islands(names, pairs, hubs), [...hubs].toSorted(), pairs).then((groups) => {
      if (isGone) return;
      drawn.current = drawGraph(element, groups, pairs, { hubs, externals, changes });
      drawn.current.on('tap', 'node[name]', ({ target }: { target: NodeSingular }) =>
        select(String(target.data('name'))),
      );
      drawn.current.on('tap', ({ target }) => {
        if (target === drawn.current) select('');
      });
      setPlacing(false);
    });
    return () => {
      isGone = true;
      drawn.current?.destroy();
      drawn.current = undefined;
    };
  }, [pairs, names, hubs, isTooLarge, select, externals, changes]);

  useEffect(() => {
    const graph = drawn.current;
    if (graph && !isPlacing) showSelection(graph, selected);
  }, [selected, isPlacing, pairs]);

  useEffect(() => {
    const element = container.current;
    if (!element) return undefined;
    const resizes = new ResizeObserver(() => {
      drawn.current?.resize();
      fitTo(drawn.current);
    });
    resizes.observe(element);
    return () => resizes.disconnect();
  }, [isTooLarge]);

  useEffect(() => {
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    const onChange = () => restyle(drawn.current);
    scheme.addEventListener('change', onChange);
    return () => scheme.removeEventListener('change', onChange);
  }, []);

  if (isTooLarge)
    return (
      <p class="notice">
        {names.length.toLocaleString('en')} namespaces and {pairs.length.toLocaleString('en')} pairs are too
        many for one picture (at most {maxDrawnNamespaces} and {maxDrawnPairs.toLocaleString('en')}). Narrow
        the filters, select a namespace from the list, or use the matrix.
      </p>
    );
  if (pairs.length === 0) return <p class="notice">No edge matches the filters.</p>;
  return (
    <div class="graph">
      <div
        ref={container}
        class="canvas"
        role="img"
        aria-label={`Map of ${names.length} namespaces and ${pairs.length} pairs. The list of namespaces next to it has the same content.`}
      />
      {isPlacing && <p class="notice placing">Arranging {names.length} namespaces…</p>}
      <div class="zoom">
        <button type="button" onClick={() => zoom(drawn.current, 1.3)} aria-label="Zoom in">
          +
        </button>
        <button type="button" onClick={() => zoom(drawn.current, 1 / 1.3)} aria-label="Zoom out">
          −
        </button>
        <button type="button" onClick={() => fitTo(drawn.current)}>
          Fit
        </button>
      </div>
      {changes === undefined && (
        <ul class="legend" aria-label="Legend">
          <li>
            <span class="line allowed" /> allowed
          </li>
          <li>
            <span class="line denied" /> denied
          </li>
          <li>
            <span class="line mixed" /> allowed and denied
          </li>
        </ul>
      )}
    </div>
  );
}
