-- Facts grow by a row per fact, policy trace and day. Days older than FACT_DAYS_KEEP are rolled up by month, which
-- keeps first and last seen, the count, the days, and the hours of the day.
create table flow_fact_month (
  fact_id bigint not null references flow_fact,
  -- The first day of the month (UTC).
  month date not null,
  trace_id bigint not null references policy_trace,
  first_seen timestamptz not null,
  last_seen timestamptz not null,
  flow_count bigint not null,
  -- Bitmap of the days on which it was seen, bit 0 for the first.
  days integer not null,
  -- Bitmap of the hours (UTC) of all these days, bit n for hour n.
  hours integer not null,
  primary key (fact_id, month, trace_id)
);

-- Both tables as days: a rolled-up month yields a row for each of its days, with the count in the first row and the
-- hours in all of them.
create view flow_fact_days as
select fact_id, day, trace_id, first_seen, last_seen, flow_count, hours from flow_fact_day
union all
select m.fact_id, m.month + n as day, m.trace_id,
  greatest(m.first_seen, (m.month + n)::timestamp at time zone 'UTC') as first_seen,
  least(m.last_seen, (m.month + n + 1)::timestamp at time zone 'UTC') as last_seen,
  case when m.days & ((1 << n) - 1) = 0 then m.flow_count else 0 end as flow_count,
  m.hours
from flow_fact_month m cross join generate_series(0, 30) as n
where m.days & (1 << n) <> 0;

create or replace view flow_facts as
select
  g.src_kind, g.src_ns, g.src_identity, g.dst_kind, g.dst_ns, g.dst_identity,
  g.protocol, f.port, g.reporter, g.action,
  min(d.first_seen) as first_seen, max(d.last_seen) as last_seen,
  sum(d.flow_count)::bigint as flow_count, count(distinct d.day) as days, f.fact_id
from flow_group g
join flow_fact f using (group_id)
join flow_fact_days d using (fact_id)
group by g.group_id, f.fact_id;
