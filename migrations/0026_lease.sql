-- Work that only one worker may do at a time (posting a digest) is leased by a row: a session-level lock does not survive a
-- connection pooler in transaction mode.
create table lease (
  name text primary key,
  -- A random id of the process that holds the lease.
  holder uuid not null,
  -- By the clock of the database; another process may take it afterwards.
  expires_at timestamptz not null
);
