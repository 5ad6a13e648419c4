import { useEffect, useState } from 'preact/hooks';
import type { MapData, MapRun } from '../../../queries/map-data.ts';
import { readRuns } from '../api.ts';
import type { Times } from '../format.ts';

/** Recent runs of every job, with links to the Temporal UI where its address is known. */
export function Runs({ data, times }: { data: MapData; times: Times }) {
  const [runs, setRuns] = useState<MapRun[] | string>();
  useEffect(() => {
    if (data.isFile) return undefined;
    const aborting = new AbortController();
    readRuns(aborting.signal).then(setRuns, (error: unknown) => {
      if (!aborting.signal.aborted) setRuns(error instanceof Error ? error.message : String(error));
    });
    return () => aborting.abort();
  }, [data]);
  if (data.isFile)
    return <p class="notice">Runs are not part of a map file. Open the map served by the worker.</p>;
  if (runs === undefined) return <p class="notice">Loading…</p>;
  if (typeof runs === 'string') return <p class="notice error">{runs}</p>;
  if (runs.length === 0) return <p class="notice">No job has run yet.</p>;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Runs">
      <table class="list">
        <thead>
          <tr>
            <th scope="col">Job</th>
            <th scope="col">Status</th>
            <th scope="col">Started</th>
            <th scope="col">Workflow</th>
          </tr>
        </thead>
        <tbody>
          {runs.map(({ job, workflowId, runId, status, startedAt }) => (
            <tr key={runId}>
              <td>{job}</td>
              <td>
                <span class={`run ${status.toLowerCase()}`}>{status.toLowerCase()}</span>
              </td>
              <td>{times.minute(startedAt)}</td>
              <td>
                {data.temporalUiUrl === null ? (
                  workflowId
                ) : (
                  <a
                    href={`${data.temporalUiUrl}/${encodeURIComponent(workflowId)}/${encodeURIComponent(runId)}`}
                    rel="noreferrer"
                    target="_blank"
                  >
                    {workflowId}
                  </a>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
