/**
 * Common table expressions for statements that compare edges with the sources of their counts:
 * `facts`: by edge, the records of its facts, and of those between workloads with their times;
 * `explained`: each edge with its count, and with facts, removed facts and adopted counts added up (`total_count`; `workload_count`
 * without flows of network sets and hosts, which edges do not count).
 */
export const explainedEdges = `facts as (
    select src_ns, dst_ns, action, sum(flow_count) as total_count,
      sum(flow_count) filter (where is_workload) as workload_count,
      min(first_seen) filter (where is_workload) as first_seen, max(last_seen) filter (where is_workload) as last_seen
    from (
      select g.src_ns, g.dst_ns, g.action, g.src_kind = 'workload' and g.dst_kind = 'workload' as is_workload,
        d.first_seen, d.last_seen, d.flow_count
      from flow_group g join flow_fact using (group_id)
      join (select fact_id, first_seen, last_seen, flow_count from flow_fact_day
        union all select fact_id, first_seen, last_seen, flow_count from flow_fact_month) d using (fact_id)
      where g.src_ns <> g.dst_ns and g.src_ns <> '' and g.dst_ns <> ''
    ) f group by 1, 2, 3
  ), removed as (
    select src_ns, dst_ns, action, sum(workload_flow_count) as workload_count, sum(flow_count) as total_count
    from removal join removal_edge using (removal_id) group by 1, 2, 3
  ), explained as (
    select e.src_ns, e.dst_ns, e.action, e.flow_count,
      coalesce(f.workload_count, 0) + coalesce(r.workload_count, 0) + coalesce(a.flow_count, 0) as workload_count,
      coalesce(f.total_count, 0) + coalesce(r.total_count, 0) + coalesce(a.flow_count, 0) as total_count
    from edge e left join facts f using (src_ns, dst_ns, action) left join removed r using (src_ns, dst_ns, action)
    left join edge_adopted a using (src_ns, dst_ns, action)
  )`;

/** The number of records counted in edges that were only streamed: those that have left the ledger, and those still
 * in it. Buckets counted by another program add no counts, so their records are not included.
 */
export const streamedOnlyCount = `(select s.streamed_only + coalesce((
    select sum(octet_length(l.streamed)) / 8 from bucket_ledger l
    where s.adopted_until is null or l.bucket + interval '15 s' > s.adopted_until), 0)
  from trail_state s)`;
