-- Another program, such as goldmane-edge-aggregator, may count in `edge` again after the trail was created. Its counts are
-- then adopted again: edge_adopted and trail_state.adopted_until change, and this table records when, by whom and how much.
create table adoption (
  adoption_id bigint generated always as identity primary key,
  adopted_at timestamptz not null default now(),
  -- The database role.
  adopted_by text not null default session_user,
  -- trail_state.adopted_until before and after.
  from_time timestamptz,
  to_time timestamptz not null,
  edges bigint not null,
  flow_count bigint not null
);
