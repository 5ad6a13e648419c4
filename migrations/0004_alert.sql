-- What people were last told of each alert, so that they are told once per change and not at every check.
create table alert (
  alert text primary key,
  state text not null,
  detail text not null,
  since timestamptz not null,
  checked_at timestamptz not null,
  -- The state that was posted last; null until something was.
  told_state text,
  told_at timestamptz
);
