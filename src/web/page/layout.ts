import ElkApi, { type ElkNode } from 'elkjs/lib/elk-api.js';
import workerText from 'virtual:elk-worker';
import type { Pair } from './model.ts';

interface PlacedNode {
  name: string;
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface PlacedGroup extends Omit<PlacedNode, 'name'> {
  id: string;
  title: string;
  nodes: PlacedNode[];
}

const nodeHeight = 30;
/** Space above the nodes of a group for its title. */
export const titleHeight = 30;

export function labelWidth(name: string): number {
  return Math.min(264, 20 + name.length * 8.6);
}

let elk: InstanceType<typeof ElkApi> | undefined;

/** ELK runs in its own worker, so that the page stays responsive while it computes. */
function layoutEngine(): InstanceType<typeof ElkApi> {
  elk ??= new ElkApi({
    workerFactory: () => new Worker(URL.createObjectURL(new Blob([workerText], { type: 'text/javascript' }))),
  });
  return elk;
}

/**
 * Places groups next to each other: one per island, whose namespaces are in layers from callers to callees, one for
 * namespaces that talk only with shared ones, and one for the shared ones.
 */
export async function placeGroups(
  islands: readonly (readonly string[])[],
  hubs: readonly string[],
  pairs: readonly Pair[],
): Promise<PlacedGroup[]> {
  const layered = islands.filter((members) => members.length > 1);
  const single = islands.filter((members) => members.length === 1).flat();
  const node = (name: string): ElkNode => ({ id: `n:${name}`, width: labelWidth(name), height: nodeHeight });
  const padding = { 'elk.padding': `[top=${titleHeight},left=14,bottom=14,right=14]` };
  const packed = (id: string, names: readonly string[]): ElkNode => ({
    id,
    children: names.map(node),
    layoutOptions: {
      'elk.algorithm': 'rectpacking',
      'elk.aspectRatio': '1.2',
      'elk.spacing.nodeNode': '10',
      ...padding,
    },
  });
  const children: ElkNode[] = layered.map((members, index) => {
    const inside = new Set(members);
    return {
      id: `island:${index}`,
      children: members.map(node),
      edges: pairs
        .filter(({ src, dst }) => inside.has(src) && inside.has(dst))
        .map(({ src, dst }, at) => ({
          id: `e:${index}:${at}`,
          sources: [`n:${src}`],
          targets: [`n:${dst}`],
        })),
      layoutOptions: {
        'elk.algorithm': 'layered',
        'elk.direction': 'RIGHT',
        'elk.layered.spacing.nodeNodeBetweenLayers': '60',
        'elk.spacing.nodeNode': '10',
        'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
        ...padding,
      },
    };
  });
  if (single.length > 0) children.push(packed('single', single));
  if (hubs.length > 0) children.push(packed('hubs', hubs));
  const root = await layoutEngine().layout({
    id: 'root',
    children,
    layoutOptions: { 'elk.algorithm': 'rectpacking', 'elk.aspectRatio': '1.6', 'elk.spacing.nodeNode': '36' },
  });
  return (root.children ?? []).map((group) => {
    const [left, top] = [group.x ?? 0, group.y ?? 0];
    return {
      id: group.id,
      title: titleOf(group.id),
      x: left,
      y: top,
      width: group.width ?? 0,
      height: group.height ?? 0,
      nodes: (group.children ?? []).map(({ id, x = 0, y = 0, width = 0, height = 0 }) => ({
        name: id.slice(2),
        x: left + x,
        y: top + y,
        width,
        height,
      })),
    };
  });
}

function titleOf(id: string): string {
  if (id === 'hubs') return 'Shared by many';
  return id === 'single' ? 'Talk only to shared namespaces' : '';
}
