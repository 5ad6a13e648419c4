-- A bucket can be so large that listing it exhausts the memory of the process, which is then killed, restarted, and
-- lists the same bucket first. Therefore, a process stores which bucket it is about to list and deletes the row when
-- the bucket is merged or dropped. A row of another process means that it ended in between; after two such rows, the
-- bucket is skipped.
create table bucket_listing (
  bucket timestamptz not null,
  -- A random id of the process.
  process uuid not null,
  -- Its heap limit: a process with more memory lists the bucket again.
  heap_limit_bytes bigint not null,
  begun_at timestamptz not null default now(),
  primary key (bucket, process)
);
