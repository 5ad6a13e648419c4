import type { Query } from '../database/database.ts';

/** Every pair of namespaces with its action, as the runbook's queries read them. @throws DatabaseFailure */
export function readEdgePairs(query: Query): Promise<{ srcNs: string; dstNs: string; action: string }[]> {
  return query(
    `select src_ns as "srcNs", dst_ns as "dstNs", action from edge where action in ('allow', 'deny')`,
  );
}
