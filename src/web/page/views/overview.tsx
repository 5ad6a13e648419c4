import cytoscape, {
  type Core,
  type ElementDefinition,
  type NodeSingular,
  type StylesheetJson,
} from 'cytoscape';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { labelWidth, placeGroups, titleHeight, type PlacedGroup } from '../layout.ts';
import { findHubs, islands, pairKey, type Change, type Pair } from '../model.ts';

/**
 * Above these sizes the picture is unreadable and drawing takes longer than a frame, so the page shows lists instead.
 */
const maxDrawnNamespaces = 300;
const maxDrawnPairs = 3_000;
const maxFitZoom = 1.3;

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
      drawn.current = draw(element, groups, pairs, { hubs, externals, changes });
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
    if (!graph || isPlacing) return;
    const wasSelected = graph.elements('.focus').nonempty();
    graph.elements().removeClass('faded focus');
    if (selected === '') {
      if (wasSelected) fitTo(graph);
      return;
    }
    const node = graph.nodes('[name]').filter((each) => each.data('name') === selected);
    if (node.empty()) return;
    const near = node.closedNeighborhood();
    graph.nodes('[name]').not(near).addClass('faded');
    graph.edges().not(near).addClass('faded');
    near.edges().addClass('focus');
    node.addClass('focus');
    fitTo(graph);
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
    const restyle = () => drawn.current?.style(styles());
    scheme.addEventListener('change', restyle);
    return () => scheme.removeEventListener('change', restyle);
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
      {isPlacing && <p class="notice placing">Placing {names.length} namespaces…</p>}
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
    </div>
  );
}

/** Shows the selected namespace with its neighbours, or everything. */
function fitTo(graph: Core | undefined): void {
  if (!graph) return;
  const selected = graph.nodes('.focus');
  if (selected.empty()) return void graph.fit(undefined, 20);
  graph.fit(selected.closedNeighborhood(), 30);
  if (graph.zoom() > maxFitZoom) {
    graph.zoom(maxFitZoom);
    graph.center(selected.closedNeighborhood());
  }
}

function zoom(graph: Core | undefined, factor: number): void {
  graph?.zoom({
    level: graph.zoom() * factor,
    renderedPosition: { x: graph.width() / 2, y: graph.height() / 2 },
  });
}

function draw(
  container: HTMLElement,
  groups: readonly PlacedGroup[],
  pairs: readonly Pair[],
  {
    hubs,
    externals,
    changes,
  }: {
    hubs: ReadonlySet<string>;
    externals: ReadonlySet<string>;
    changes: ReadonlyMap<string, Change> | undefined;
  },
): Core {
  const elements: ElementDefinition[] = [];
  const ids = new Map<string, string>();
  for (const group of groups) {
    // A group is a plain box behind its nodes: a compound would follow its children's sizes and lose the title's space.
    const width = Math.max(group.width, group.title === '' ? 0 : labelWidth(group.title));
    elements.push({
      data: { id: group.id, width, height: group.height },
      position: { x: group.x + width / 2, y: group.y + group.height / 2 },
      classes: group.id === 'hubs' ? 'group hubs' : 'group',
      selectable: false,
      grabbable: false,
    });
    // In front of the lines, unlike its box.
    if (group.title !== '')
      elements.push({
        data: { id: `title ${group.id}`, title: group.title },
        position: { x: group.x + width / 2, y: group.y + titleHeight / 2 },
        classes: 'title',
        selectable: false,
        grabbable: false,
      });
    for (const node of group.nodes) {
      const id = `n${ids.size}`;
      ids.set(node.name, id);
      elements.push({
        data: { id, name: node.name, width: node.width, height: node.height },
        position: { x: node.x + node.width / 2, y: node.y + node.height / 2 },
        classes: externals.has(node.name) ? 'external' : hubs.has(node.name) ? 'hub' : '',
        grabbable: false,
      });
    }
  }
  for (const [index, { src, dst, kind }] of pairs.entries()) {
    const [source, target] = [ids.get(src), ids.get(dst)];
    if (source === undefined || target === undefined) continue;
    const isShared = hubs.has(src) || hubs.has(dst);
    const isMuted = isShared && kind === 'allowed';
    const change = changes?.get(pairKey({ src, dst }));
    const classes = changes
      ? change === undefined
        ? 'muted'
        : `${change}${isShared ? ' shared' : ''}`
      : `${kind}${isMuted ? ' muted' : ''}`;
    elements.push({ data: { id: `p${index}`, source, target }, classes });
  }
  const graph = cytoscape({
    container,
    elements,
    style: styles(),
    layout: { name: 'preset' },
    minZoom: 0.1,
    maxZoom: 3,
    boxSelectionEnabled: false,
    pixelRatio: Math.min(2, globalThis.devicePixelRatio),
  });
  graph.fit(undefined, 20);
  return graph;
}

function styles(): StylesheetJson {
  const css = getComputedStyle(document.documentElement);
  const color = (name: string) => css.getPropertyValue(`--${name}`).trim();
  return [
    {
      selector: 'node[name]',
      style: {
        label: 'data(name)',
        shape: 'round-rectangle',
        width: 'data(width)',
        height: 'data(height)',
        'background-color': color('card'),
        'border-color': color('line'),
        'border-width': 1,
        color: color('text'),
        'font-size': 15,
        'text-valign': 'center',
        'text-max-width': '250px',
        'text-wrap': 'ellipsis',
        'z-index-compare': 'manual',
        'z-index': 10,
      },
    },
    {
      selector: 'node.group',
      style: {
        shape: 'round-rectangle',
        width: 'data(width)',
        height: 'data(height)',
        'background-color': color('island'),
        'border-color': color('line'),
        'border-width': 0.5,
        events: 'no',
        'z-index-compare': 'manual',
        'z-index': 0,
      },
    },
    {
      selector: 'node.title',
      style: {
        label: 'data(title)',
        width: 1,
        height: 1,
        'background-opacity': 0,
        color: color('quiet'),
        'font-size': 16,
        'text-valign': 'center',
        'text-background-color': color('island'),
        'text-background-opacity': 0.85,
        'text-background-padding': '3px',
        events: 'no',
        'z-index-compare': 'manual',
        'z-index': 8,
      },
    },
    { selector: 'node.hub', style: { 'background-color': color('hub'), 'font-weight': 'bold' } },
    { selector: 'node.focus', style: { 'border-color': color('accent'), 'border-width': 3 } },
    {
      selector: 'edge',
      style: {
        width: 1.5,
        'curve-style': 'bezier',
        'line-color': color('allowed'),
        'target-arrow-color': color('allowed'),
        'target-arrow-shape': 'triangle',
        'arrow-scale': 0.9,
        'z-index-compare': 'manual',
        'z-index': 5,
      },
    },
    {
      selector: 'edge.denied',
      style: {
        'line-color': color('denied'),
        'target-arrow-color': color('denied'),
        'line-style': 'dashed',
        width: 2,
      },
    },
    {
      selector: 'edge.mixed',
      style: { 'line-color': color('mixed'), 'target-arrow-color': color('mixed'), width: 2 },
    },
    {
      selector: 'node.external',
      style: { 'border-style': 'dashed', 'background-color': color('page'), color: color('quiet') },
    },
    {
      selector: 'edge.appeared',
      style: { 'line-color': color('accent'), 'target-arrow-color': color('accent'), width: 2 },
    },
    {
      selector: 'edge.fell-silent',
      style: {
        'line-color': color('quiet'),
        'target-arrow-color': color('quiet'),
        'line-style': 'dotted',
        width: 3,
      },
    },
    {
      selector: 'edge.now-denied',
      style: {
        'line-color': color('denied'),
        'target-arrow-color': color('denied'),
        'line-style': 'dashed',
        width: 3,
      },
    },
    {
      selector: 'edge.now-allowed',
      style: { 'line-color': color('good'), 'target-arrow-color': color('good'), width: 3 },
    },
    // A new namespace appears with its lines to all shared ones, which would cover the rest.
    { selector: 'edge.appeared.shared, edge.fell-silent.shared', style: { opacity: 0.35, width: 1.2 } },
    { selector: 'edge.muted', style: { opacity: 0.12, width: 0.8, 'target-arrow-shape': 'none' } },
    { selector: '.faded', style: { opacity: 0.1 } },
    { selector: 'edge.focus', style: { opacity: 1, width: 2, 'target-arrow-shape': 'triangle' } },
  ];
}
