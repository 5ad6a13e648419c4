import cytoscape, { type Core, type ElementDefinition } from 'cytoscape';
import { graphStyle } from './graph-style.ts';
import { labelWidth, titleHeight, type PlacedGroup } from './layout.ts';
import { pairKey, type Change, type Pair } from './model.ts';

const maxFitZoom = 1.3;

/** Draws the placed namespaces and the pairs between them, in the container's colours. */
export function drawGraph(
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
    style: graphStyle(),
    layout: { name: 'preset' },
    minZoom: 0.1,
    maxZoom: 3,
    boxSelectionEnabled: false,
    pixelRatio: Math.min(2, globalThis.devicePixelRatio),
  });
  graph.fit(undefined, 20);
  return graph;
}

/** Fades everything but a namespace and its neighbours, and fits them; an empty name shows everything again. */
export function showSelection(graph: Core, selected: string): void {
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
}

/** Applies the colours of the page again after its colour scheme has changed. */
export function restyle(graph: Core | undefined): void {
  graph?.style(graphStyle());
}

/** Shows the selected namespace with its neighbours, or everything. */
export function fitTo(graph: Core | undefined): void {
  if (!graph) return;
  const selected = graph.nodes('.focus');
  if (selected.empty()) return void graph.fit(undefined, 20);
  graph.fit(selected.closedNeighborhood(), 30);
  if (graph.zoom() > maxFitZoom) {
    graph.zoom(maxFitZoom);
    graph.center(selected.closedNeighborhood());
  }
}

export function zoom(graph: Core | undefined, factor: number): void {
  graph?.zoom({
    level: graph.zoom() * factor,
    renderedPosition: { x: graph.width() / 2, y: graph.height() / 2 },
  });
}
