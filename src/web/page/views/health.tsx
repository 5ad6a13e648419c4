import { useEffect, useState } from 'preact/hooks';
import type { MapData } from '../../../queries/map-data.ts';
import type { HealthReport } from '../../../reports/health/report.ts';
import { readJson } from '../api.ts';

/** The report, an error, or undefined while loading. */
type HealthState = HealthReport | string | undefined;

/** The report of `flow-trail health`, loaded with every update of the map. */
export function useHealth(data: MapData | undefined): HealthState {
  const [health, setHealth] = useState<HealthState>();
  const isFile = data?.isFile;
  const madeAt = data?.madeAt;
  useEffect(() => {
    if (isFile !== false) return undefined;
    const aborting = new AbortController();
    readJson<HealthReport>('api/health', aborting.signal).then(setHealth, (error: unknown) => {
      if (!aborting.signal.aborted) setHealth(error instanceof Error ? error.message : String(error));
    });
    return () => aborting.abort();
  }, [isFile, madeAt]);
  return health;
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
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Health">
      <table class="list">
        <caption>The same report as “flow-trail health”.</caption>
        <thead>
          <tr>
            <th scope="col">Check</th>
            <th scope="col">Result</th>
            <th scope="col">Detail</th>
            <th scope="col">What to do</th>
          </tr>
        </thead>
        <tbody>
          {health.checks.map(({ name, status, detail, cure }) => (
            <tr key={name}>
              <td>{name}</td>
              <td>
                <span class={`health ${status}`}>{status}</span>
              </td>
              <td>{detail}</td>
              <td>{cure}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
