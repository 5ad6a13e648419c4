import { useState } from 'preact/hooks';
import type { MapEdge } from '../../../queries/map-data.ts';
import type { Times } from '../format.ts';
import { List, View } from './list.tsx';

const pageSize = 200;

interface EdgesProps {
  edges: readonly MapEdge[];
  times: Times;
  select: (name: string) => void;
}

/** All edges that pass the filters, newest first-seen time first. */
export function Edges({ edges, times, select }: EdgesProps) {
  const [shown, setShown] = useState(pageSize);
  if (edges.length === 0) return <p class="notice">No edge matches the filters.</p>;
  return (
    <View label="Edges">
      <List columns={['From', 'To', 'Action', 'First seen', 'Last seen', 'Flows']} numbers="Flows">
        {edges.slice(0, shown).map((edge) => (
          <tr key={`${edge.src}\n${edge.dst}\n${edge.action}`}>
            <td>
              <Name name={edge.src} select={select} />
            </td>
            <td>
              <Name name={edge.dst} select={select} />
            </td>
            <td>
              <Action action={edge.action} />
            </td>
            <td title={edge.firstSeen}>{times.minute(edge.firstSeen)}</td>
            <td title={edge.lastSeen}>{times.ago(edge.lastSeen)}</td>
            <td class="number">{Number(edge.flows).toLocaleString('en')}</td>
          </tr>
        ))}
      </List>
      {edges.length > shown && (
        <button type="button" onClick={() => setShown(shown + pageSize)}>
          Show more ({(edges.length - shown).toLocaleString('en')} left)
        </button>
      )}
    </View>
  );
}

export function Name({ name, select }: { name: string; select: (name: string) => void }) {
  return (
    <button type="button" class="name" onClick={() => select(name)}>
      {name}
    </button>
  );
}

export function Action({ action }: { action: string }) {
  return <span class={`action ${action}`}>{action}</span>;
}
