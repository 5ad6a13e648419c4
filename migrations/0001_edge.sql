-- The table that today's aggregator fills and that people query, with exactly its columns and key: whatever reads it
-- goes on working, and a database that already has it, with rows, is taken over as it is.
create table if not exists edge (
  src_ns text not null,
  dst_ns text not null,
  action text not null,
  first_seen timestamptz not null,
  last_seen timestamptz not null,
  flow_count bigint not null,
  primary key (src_ns, dst_ns, action)
);
