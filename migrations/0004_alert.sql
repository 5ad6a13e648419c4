-- The last posted state of each alert, so that a message is posted per change, not per check.
create table alert (
  alert text primary key,
  state text not null,
  detail text not null,
  since timestamptz not null,
  checked_at timestamptz not null,
  -- The last posted state; null until one was posted.
  told_state text,
  told_at timestamptz
);
