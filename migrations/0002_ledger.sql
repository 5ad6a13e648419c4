-- The ledger stores which records were counted, so that each is counted once, and which buckets were listed, so that
-- gaps can be reported.

-- One row for the whole trail. adopted_until is the newest last_seen of a table that another aggregator filled, set
-- once: buckets that end at or before it were already counted, so only their times are merged, not their counts.
create table trail_state (
  only_row boolean primary key default true check (only_row),
  adopted_until timestamptz,
  -- Hashes of buckets before this were deleted; merges reject such buckets.
  expired_before timestamptz not null default '-infinity',
  -- The first bucket of the trail, and the time up to which coverage is decided.
  began_at timestamptz,
  decided_until timestamptz,
  -- The last reason why Goldmane could not be read; the cause of a resulting gap.
  trouble text,
  trouble_at timestamptz
);

insert into trail_state (adopted_until) select max(last_seen) from edge;

-- The adopted counts, which explain the difference between an edge and its facts.
create table edge_adopted (
  src_ns text not null,
  dst_ns text not null,
  action text not null,
  flow_count bigint not null,
  primary key (src_ns, dst_ns, action)
);

insert into edge_adopted select src_ns, dst_ns, action, flow_count from edge;

-- A row per bucket of the last hours. The hashes are sorted unsigned 64-bit big-endian identities of records; each is
-- in one of two columns: `streamed` while it is counted only in edge, `settled` once it is also counted in facts.
create table bucket_ledger (
  bucket timestamptz primary key,
  streamed bytea not null default '',
  settled bytea not null default '',
  streamed_whole boolean not null default false,
  settled_at timestamptz,
  final_at timestamptz,
  gap_cause text,
  merged_at timestamptz
);

-- Hashes do not compress; with external storage, an unchanged value is not rewritten with its row.
alter table bucket_ledger alter column streamed set storage external;
alter table bucket_ledger alter column settled set storage external;

-- Coverage as contiguous stretches that do not overlap; stored permanently.
create table coverage (
  from_time timestamptz primary key,
  to_time timestamptz not null check (to_time > from_time),
  state text not null check (state in ('final', 'settled', 'streamed', 'gap')),
  cause text
);

-- Runs of the Goldmane server, distinguished by the ids of recurring flow keys (pairs of hash and id, 8 bytes each).
create table goldmane_run (
  first_seen timestamptz primary key,
  flow_ids bytea not null
);

-- When each client certificate last worked with each CA bundle; distinguishes a stale certificate from a wrong CA.
create table tls_contact (
  ca_fingerprint text not null,
  cert_fingerprint text not null,
  first_worked_at timestamptz not null,
  last_worked_at timestamptz not null,
  primary key (ca_fingerprint, cert_fingerprint)
);
