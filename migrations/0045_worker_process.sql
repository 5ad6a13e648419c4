-- A process that is killed cannot report it. Each worker process therefore has a row here, which it deletes when it ends in order:
-- a row that is no longer renewed is a process that ended unexpectedly. Several of them within half an hour are reported.
create table worker_process (
  process uuid primary key,
  -- Its identity in Temporal. A restarted container has the identity of its predecessor.
  worker text not null,
  started_at timestamptz not null default now(),
  seen_at timestamptz not null default now(),
  -- The error with which it ended, if it could still report one.
  failure text
);
