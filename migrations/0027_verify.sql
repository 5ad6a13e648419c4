-- `flow-trail verify` compares each edge with its facts. Records that were only streamed are counted in edges and in no
-- fact, so the number that left the ledger must be stored, and so must facts removed by an operator.
alter table trail_state add column streamed_only bigint not null default 0;

-- Records that an older version deleted from the ledger: the surplus of edges over their facts that the ledger does not explain. Later
-- differences are relative to it.
update trail_state set streamed_only = greatest(0, (
  select coalesce(sum(greatest(0, e.flow_count - coalesce(f.flow_count, 0) - coalesce(a.flow_count, 0))), 0)
  from edge e
  left join (
    select g.src_ns, g.dst_ns, g.action, sum(d.flow_count) as flow_count
    from flow_group g join flow_fact using (group_id) join flow_fact_day d using (fact_id) group by 1, 2, 3
  ) f using (src_ns, dst_ns, action)
  left join edge_adopted a using (src_ns, dst_ns, action)
) - (select coalesce(sum(octet_length(streamed)), 0) / 8 from bucket_ledger));

-- Facts that operators removed, and how much of each edge's count they explain.
create table removal (
  removal_id bigint generated always as identity primary key,
  removed_at timestamptz not null default now(),
  -- The database role.
  removed_by text not null default session_user,
  src_ns text not null,
  dst_ns text not null,
  before_day date not null,
  facts bigint not null,
  fact_days bigint not null
);

create table removal_edge (
  removal_id bigint not null references removal,
  action text not null,
  -- For flows between workloads, which edges count, and for all flows between the two namespaces.
  workload_flow_count bigint not null,
  flow_count bigint not null,
  primary key (removal_id, action)
);

create table verification (
  verified_at timestamptz primary key,
  -- [] if nothing differs.
  differences jsonb not null
);
