import type { MapData } from '../../../queries/map-data.ts';
import type { Times } from '../format.ts';
import { Name } from './edges.tsx';
import { List, View } from './list.tsx';

const order = ['complete', 'unstable', 'learning', 'stale', null] as const;
const meaning: Record<string, string> = {
  complete: 'Observed for long enough, with nothing new recently: ready for a staged default-deny policy.',
  unstable: 'New traffic was seen recently.',
  learning: 'Not observed for long enough yet.',
  stale: 'Not seen recently.',
};

/** Which namespaces are ready for default-deny. */
export function Readiness({
  data,
  times,
  select,
}: {
  data: MapData;
  times: Times;
  select: (name: string) => void;
}) {
  return (
    <View label="Readiness for default-deny">
      {order.map((verdict) => {
        const own = data.namespaces.filter((namespace) => namespace.verdict === verdict);
        if (own.length === 0) return null;
        return (
          <section key={verdict ?? 'none'}>
            <h3>
              <span class={`verdict ${verdict ?? 'learning'}`}>{verdict ?? 'not settled yet'}</span>{' '}
              {own.length}
            </h3>
            <p class="facts">
              {verdict === null ? 'Only seen in the live stream so far.' : meaning[verdict]}
            </p>
            <List
              columns={['Namespace', 'Covered days', 'Observed since', 'Last seen']}
              numbers="Covered days"
            >
              {own.map(({ name, coveredDays, requiredDays, firstSeen, lastSeen }) => (
                <tr key={name}>
                  <td>
                    <Name name={name} select={select} />
                  </td>
                  <td class="number">
                    {coveredDays.toFixed(1)} of {requiredDays}
                  </td>
                  <td>{firstSeen ? times.minute(firstSeen) : ''}</td>
                  <td>{lastSeen ? times.ago(lastSeen) : ''}</td>
                </tr>
              ))}
            </List>
          </section>
        );
      })}
    </View>
  );
}
