-- A bucket can be so large that listing it exhausts the memory of the process, which then ends without a word, is started again
-- and lists the same bucket first. So a process writes down which bucket it is about to list, and deletes the row when the bucket is
-- merged or given up. A row of another process is one that ended in between; after two of them the bucket is skipped.
create table bucket_listing (
  bucket timestamptz not null,
  -- A random id of the process.
  process uuid not null,
  -- Its heap limit: a process with more memory lists the bucket again.
  heap_limit_bytes bigint not null,
  begun_at timestamptz not null default now(),
  primary key (bucket, process)
);
