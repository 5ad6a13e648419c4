-- A digest announces each edge once and misses none: so it has to be remembered which edges were announced, not until when.

-- What people know of. Without a digest_id an edge was there before digests began, and is taken as known.
create table announced_edge (
  src_ns text not null,
  dst_ns text not null,
  action text not null,
  digest_id text,
  announced_at timestamptz not null,
  primary key (src_ns, dst_ns, action)
);

-- When the first digest took stock of the edges that were there already; null before it.
alter table trail_state add column digests_began_at timestamptz;

-- A digest is frozen before it is posted for the first time, so that trying again says the same.
create table digest (
  digest_id text primary key,
  frozen_at timestamptz not null,
  -- How much is announced, of which period, and what of it was not observed.
  summary json not null,
  -- Gaps in coverage were told up to here; later time was too young to tell.
  gaps_told_until timestamptz not null,
  -- Null until it is done; `quiet` had nothing to announce.
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
