-- What was derived is kept as it was handed out: a policy that is in force must remain explainable after its evidence moved
-- on. An allowlist is named by the digest of its input and files, so that deriving it twice keeps it once.
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
