import type { MapData } from '../../../queries/map-data.ts';
import type { HealthReport } from '../../../reports/health/report.ts';
import { readJson } from '../api.ts';
import { useAnswer } from '../use-answer.ts';
import { List, View } from './list.tsx';

/** The report, an error, or undefined while loading. */
type HealthState = HealthReport | string | undefined;

/** The report of `flow-trail health`, loaded with every update of the map. */
export function useHealth(data: MapData | undefined): HealthState {
  const read = (signal: AbortSignal) => readJson<HealthReport>('api/health', signal);
  return useAnswer(data?.isFile === false ? read : undefined, [data?.isFile, data?.madeAt]);
}

export function HealthBadge({ health }: { health: HealthState }) {
  if (health === undefined) return null;
  const [status, detail] = typeof health === 'string' ? ['FAIL', health] : [health.status, health.detail];
  return (
    <a class={`health ${status}`} href="#/health" title={detail}>
      {status}
    </a>
  );
}

export function Health({ health, isFile }: { health: HealthState; isFile: boolean }) {
  if (isFile)
    return (
      <p class="notice">
        The health report is not part of a map file. Open the map served by the worker, or run “flow-trail
        health”.
      </p>
    );
  if (health === undefined) return <p class="notice">Checking…</p>;
  if (typeof health === 'string') return <p class="notice error">{health}</p>;
  const hasCures = health.checks.some(({ cure }) => cure !== undefined);
  return (
    <View label="Health">
      <List
        columns={['Check', 'Result', 'Detail', ...(hasCures ? ['What to do'] : [])]}
        caption="The same report as “flow-trail health”."
      >
        {health.checks.map(({ name, status, detail, cure }) => (
          <tr key={name}>
            <td>{name}</td>
            <td>
              <span class={`health ${status}`}>{status}</span>
            </td>
            <td>{detail}</td>
            {hasCures && <td>{cure}</td>}
          </tr>
        ))}
      </List>
    </View>
  );
}
