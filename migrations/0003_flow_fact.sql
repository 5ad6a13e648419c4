-- The finest detail stored: both ends (kind, namespace, service identity), protocol and port, reporter and action. The
-- number of rows grows with distinct facts and days, not with traffic.

-- A fact without its port. An end's identity is its service identity, a network set's name, or pub / pvt; '' if there
-- is none.
create table flow_group (
  group_id bigint generated always as identity primary key,
  src_kind text not null,
  src_ns text not null,
  src_identity text not null,
  dst_kind text not null,
  dst_ns text not null,
  dst_identity text not null,
  protocol text not null,
  reporter text not null,
  action text not null,
  unique (src_ns, dst_ns, src_kind, src_identity, dst_kind, dst_identity, protocol, reporter, action)
);

-- Port -1 is "many": ports beyond the cap of their group. traces lists the policy traces of the fact up to a cap; 0
-- represents those beyond it.
create table flow_fact (
  fact_id bigint generated always as identity primary key,
  group_id bigint not null references flow_group,
  port integer not null check (port between -1 and 65535),
  traces bigint[] not null default '{}',
  unique (group_id, port)
);

-- A policy trace (enforced and pending hits, sorted), by the first 64 bits of its digest.
create table policy_trace (
  trace_id bigint primary key,
  trace jsonb not null
);

insert into policy_trace values (0, '{"other": true}');

-- Times and policies per day (UTC). hours is a bitmap, bit n for hour n.
create table flow_fact_day (
  fact_id bigint not null references flow_fact,
  day date not null,
  trace_id bigint not null references policy_trace,
  first_seen timestamptz not null,
  last_seen timestamptz not null,
  flow_count bigint not null,
  hours integer not null,
  primary key (fact_id, day, trace_id)
) with (fillfactor = 70);

-- Facts for queries.
create view flow_facts as
select
  g.src_kind, g.src_ns, g.src_identity, g.dst_kind, g.dst_ns, g.dst_identity,
  g.protocol, f.port, g.reporter, g.action,
  min(d.first_seen) as first_seen, max(d.last_seen) as last_seen,
  sum(d.flow_count)::bigint as flow_count, count(distinct d.day) as days, f.fact_id
from flow_group g
join flow_fact f using (group_id)
join flow_fact_day d using (fact_id)
group by g.group_id, f.fact_id;
