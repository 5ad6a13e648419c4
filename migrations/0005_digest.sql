-- A digest announces each edge once and misses none, so the announced edges themselves are stored, not just a time up
-- to which all were announced.

-- Announced edges. Those without a digest_id existed before digests began and are not announced.
create table announced_edge (
  src_ns text not null,
  dst_ns text not null,
  action text not null,
  digest_id text,
  announced_at timestamptz not null,
  primary key (src_ns, dst_ns, action)
);

-- When the first digest marked the existing edges; null before that.
alter table trail_state add column digests_began_at timestamptz;

-- A digest is stored before the first attempt to post it, so that a retry posts the same messages.
create table digest (
  digest_id text primary key,
  frozen_at timestamptz not null,
  -- The number of announced edges, the period, and the parts of it that were not observed.
  summary json not null,
  -- Gaps were reported up to this time; later time was too recent.
  gaps_told_until timestamptz not null,
  -- Null until the digest is finished; `quiet` if there was nothing to announce.
  outcome text check (outcome in ('posted', 'quiet')),
  done_at timestamptz
);

-- The messages of a digest, in order, each with the edges that it announces (source, destination, action).
create table digest_message (
  digest_id text not null references digest on delete cascade,
  part integer not null,
  message json not null,
  edges jsonb not null,
  posted_at timestamptz,
  primary key (digest_id, part)
);
