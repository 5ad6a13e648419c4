-- The table that an earlier aggregator fills and that people query, with exactly the same columns and key: existing
-- queries keep working, and a database that already has the table with rows can be adopted.
create table if not exists edge (
  src_ns text not null,
  dst_ns text not null,
  action text not null,
  first_seen timestamptz not null,
  last_seen timestamptz not null,
  flow_count bigint not null,
  primary key (src_ns, dst_ns, action)
);
