-- Queries about one namespace or about recent days must not expand every rolled-up month into its days: with 23,000
-- edges, that took twenty times as long as without the roll-up.

-- last_day is the last day of a row's month, known without expanding the month. A condition on it, or on fact_id with a constant
-- or an array, is applied to flow_fact_day and flow_fact_month before months are expanded.
create or replace view flow_fact_days as
select fact_id, day, trace_id, first_seen, last_seen, flow_count, hours, day as last_day from flow_fact_day
union all
select m.fact_id, m.month + n as day, m.trace_id,
  greatest(m.first_seen, (m.month + n)::timestamp at time zone 'UTC') as first_seen,
  least(m.last_seen, (m.month + n + 1)::timestamp at time zone 'UTC') as last_seen,
  case when m.days & ((1 << n) - 1) = 0 then m.flow_count else 0 end as flow_count,
  m.hours, m.month + 30 as last_day
from flow_fact_month m cross join generate_series(0, 30) as n
where m.days & (1 << n) <> 0;

-- The same as before, with fact_id of the days, so that a condition on it reaches them.
create or replace view flow_facts as
select
  g.src_kind, g.src_ns, g.src_identity, g.dst_kind, g.dst_ns, g.dst_identity,
  g.protocol, f.port, g.reporter, g.action,
  min(d.first_seen) as first_seen, max(d.last_seen) as last_seen,
  sum(d.flow_count)::bigint as flow_count, count(distinct d.day) as days, d.fact_id
from flow_group g
join flow_fact f using (group_id)
join flow_fact_days d using (fact_id)
group by g.group_id, f.fact_id, d.fact_id;
