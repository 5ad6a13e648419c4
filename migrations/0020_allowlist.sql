-- Allowlists are stored as they were derived: a policy in force must remain explainable after its evidence has changed. The id is
-- the digest of input and files, so deriving the same twice stores it once.
create table allowlist (
  allowlist_id text primary key,
  made_at timestamptz not null default now(),
  input jsonb not null,
  summary jsonb not null
);

create table allowlist_file (
  allowlist_id text not null references allowlist on delete cascade,
  path text not null,
  content text not null,
  primary key (allowlist_id, path)
);
