-- The state of each alert that was posted last, so that a message is posted per change and not per check.
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
