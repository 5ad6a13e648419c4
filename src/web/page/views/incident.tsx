import { stateTexts } from './coverage.tsx';
import type { MapData } from '../../../queries/map-data.ts';
import type { Incident as IncidentData, IncidentRow, Unusual } from '../../../policy/incident.ts';
import { readJson } from '../api.ts';
import { counted, type Times } from '../format.ts';
import type { Route } from '../route.ts';
import { TimeField } from './changes.tsx';
import { Action } from './edges.tsx';
import { useAnswer } from '../use-answer.ts';
import { List, View } from './list.tsx';

interface IncidentProps {
  data: MapData;
  route: Route;
  times: Times;
  go: (change: Partial<Route>) => void;
}

const hourMs = 3_600_000;

const unusualTexts: Record<Unusual, string> = {
  first_seen: 'never seen before',
  first_denial: 'never denied before',
  first_time_at_this_hour: 'first time at this hour',
  first_time_on_this_weekday: 'first time on this weekday',
  silent_before: 'silent for days before',
};

/** The flows of one namespace between two times, unusual ones first. */
export function Incident({ data, route, times, go }: IncidentProps) {
  const nowMs = Date.parse(data.madeAt);
  const toMs = route.to === '' ? Math.ceil(nowMs / hourMs) * hourMs : Date.parse(route.to);
  const fromMs = route.from === '' ? toMs - hourMs : Date.parse(route.from);
  const isUsable = Number.isFinite(fromMs) && Number.isFinite(toMs) && fromMs < toMs;
  const { namespace } = route;
  const isUnseen = namespace !== '' && data.namespaces.every(({ name }) => name !== namespace);
  const read = (signal: AbortSignal) => {
    const params = new URLSearchParams({
      from: new Date(fromMs).toISOString(),
      to: new Date(toMs).toISOString(),
    });
    return readJson<IncidentData>(
      `api/namespaces/${encodeURIComponent(namespace)}/incident?${params}`,
      signal,
    );
  };
  const inputs = [data.isFile, namespace, fromMs, toMs, isUsable];
  const found = useAnswer(
    data.isFile || namespace === '' || !isUsable ? undefined : read,
    inputs,
    inputs.join(' '),
  );

  if (data.isFile)
    return <p class="notice">This view is not available in a map file. Open the map served by the worker.</p>;
  return (
    <View label="Incident">
      <form class="period" onSubmit={(event) => event.preventDefault()}>
        <label>
          Namespace{' '}
          <select value={namespace} onChange={({ currentTarget }) => go({ namespace: currentTarget.value })}>
            <option value="">choose…</option>
            {isUnseen && <option value={namespace}>{namespace}</option>}
            {data.namespaces.map(({ name }) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <TimeField label="From" ms={fromMs} onChange={(from) => go({ from })} />
        <TimeField label="To" ms={toMs} onChange={(to) => go({ to })} />
      </form>
      {!isUsable && <p class="notice error">The start must be before the end.</p>}
      {isUnseen && <p class="notice error">This namespace has never been seen; check the spelling.</p>}
      {namespace === '' && <p class="notice">Choose a namespace.</p>}
      {isUsable && namespace !== '' && found === undefined && <p class="notice">Loading…</p>}
      {typeof found === 'string' && <p class="notice error">{found}</p>}
      {typeof found === 'object' && <Found found={found} times={times} />}
    </View>
  );
}

function Found({ found, times }: { found: IncidentData; times: Times }) {
  const unusual = found.rows.filter((row) => row.unusual.length > 0);
  const usual = found.rows.filter((row) => row.unusual.length === 0);
  return (
    <>
      {found.notCovered.length === 0 ? (
        <p class="facts">This time range was fully observed.</p>
      ) : (
        <div class="error">
          <p>Not fully observed:</p>
          <ul>
            {found.notCovered.map(({ from, to, state, cause }) => (
              <li key={from}>
                {times.minute(from)} to {times.minute(to)}: {stateTexts[state] ?? state}
                {cause === undefined ? '' : `, ${cause}`}
              </li>
            ))}
          </ul>
        </div>
      )}
      <p class="facts">
        Flows are stored by the hour: this shows {times.minute(found.hoursFrom)} to{' '}
        {times.minute(found.hoursTo)}.
      </p>
      <Rows title="Unusual" rows={joinReporters(unusual)} times={times} />
      <Rows title="Seen before" rows={joinReporters(usual)} times={times} />
    </>
  );
}

/** Source and destination report the same connection: one line for both, with the policies of both. */
function joinReporters(rows: readonly IncidentRow[]): IncidentRow[] {
  const joined = new Map<string, IncidentRow>();
  for (const row of rows) {
    const key = [row.direction, row.peer, row.identity, row.port, row.action].join('\n');
    const known = joined.get(key);
    joined.set(
      key,
      known
        ? {
            ...known,
            hours: [...new Set([...known.hours, ...row.hours])].toSorted(),
            policies: [...new Set([...known.policies, ...row.policies])],
            unusual: [...new Set([...known.unusual, ...row.unusual])],
          }
        : row,
    );
  }
  return [...joined.values()];
}

function Rows({ title, rows, times }: { title: string; rows: readonly IncidentRow[]; times: Times }) {
  return (
    <section>
      <h3>
        {title} <small>{counted(rows.length, 'row')}</small>
      </h3>
      {rows.length > 0 && (
        <List columns={['Direction', 'Peer', 'Port', 'Action', 'Hours', 'Policy', 'Remarks']}>
          {rows.map((row) => (
            <tr key={`${row.direction}\n${row.peer}\n${row.identity}\n${row.port}\n${row.action}`}>
              <td>{row.direction === 'in' ? 'called by' : 'calls'}</td>
              <td>{row.peer}</td>
              <td>
                {row.port} {row.identity}
              </td>
              <td>
                <Action action={row.action} />
              </td>
              <td>{hoursText(row.hours, times)}</td>
              <td>{row.policies.join('; ')}</td>
              <td>{row.unusual.map((word) => unusualTexts[word]).join(', ')}</td>
            </tr>
          ))}
        </List>
      )}
    </section>
  );
}

function hoursText(hours: readonly string[], times: Times): string {
  const [first] = hours;
  const last = hours.at(-1);
  if (first === undefined || last === undefined) return '';
  return hours.length === 1
    ? times.minute(first)
    : `${hours.length} from ${times.minute(first)} to ${times.minute(last)}`;
}
