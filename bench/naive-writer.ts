import { counterNames } from '../src/goldmane/decoder/decode.ts';
import type { CompleteFlow } from '../dev/goldmane/flow.ts';
import type { Database } from '../src/trail/database/database.ts';

/** Whether a flow counts in `edge`: it has traffic, and both ends are workloads in different namespaces. */
export function countsInEdge(flow: CompleteFlow): boolean {
  const { srcType, srcNamespace, dstType, dstNamespace } = flow;
  return (
    srcType === 'workload' &&
    dstType === 'workload' &&
    srcNamespace !== dstNamespace &&
    [srcNamespace, dstNamespace].every((name) => name !== '' && name !== '-') &&
    counterNames.some((counter) => flow[counter] > 0)
  );
}

/** The obvious design: one awaited upsert per record that counts in an edge. */
export async function upsertEach(
  database: Database,
  flows: readonly CompleteFlow[],
  bucketSeconds: number,
): Promise<number> {
  let upserts = 0;
  for (const flow of flows.filter(countsInEdge)) {
    await database.query(
      `insert into edge as e (src_ns, dst_ns, action, first_seen, last_seen, flow_count)
       values ($1, $2, $3, to_timestamp($4), to_timestamp($5), 1)
       on conflict (src_ns, dst_ns, action) do update set
         last_seen = greatest(e.last_seen, excluded.last_seen), flow_count = e.flow_count + 1`,
      [flow.srcNamespace, flow.dstNamespace, flow.action, bucketSeconds, bucketSeconds + 15],
    );
    upserts += 1;
  }
  return upserts;
}
