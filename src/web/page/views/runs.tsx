import type { MapData } from '../../../queries/map-data.ts';
import { readRuns } from '../api.ts';
import type { Times } from '../format.ts';
import { useAnswer } from '../use-answer.ts';
import { List, View } from './list.tsx';

/** Recent runs of every job, with links to the Temporal UI where its address is known. */
export function Runs({ data, times }: { data: MapData; times: Times }) {
  const runs = useAnswer(data.isFile ? undefined : readRuns, [data]);
  if (data.isFile)
    return <p class="notice">Runs are not part of a map file. Open the map served by the worker.</p>;
  if (runs === undefined) return <p class="notice">Loading…</p>;
  if (typeof runs === 'string') return <p class="notice error">{runs}</p>;
  if (runs.length === 0) return <p class="notice">No job has run yet.</p>;
  return (
    <View label="Runs">
      <List columns={['Job', 'Status', 'Started', 'Workflow']}>
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
      </List>
    </View>
  );
}
