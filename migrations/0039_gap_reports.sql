-- The watchdog reports each gap once. Gaps from before this migration count as reported.
alter table trail_state add column gaps_reported_until timestamptz not null default '-infinity';
alter table trail_state add column gaps_reported_at timestamptz;
update trail_state set gaps_reported_until = coalesce(decided_until, '-infinity');
