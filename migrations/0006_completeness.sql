-- An allowlist is complete once its namespace was observed for long enough. To judge that, these tables store when each
-- namespace was seen, its verdict, and the last posted verdict.

-- A summary of the facts per namespace and day (UTC), written once merges reject the buckets of the day, so that it
-- cannot change. Later days are read from the facts.
create table namespace_day (
  namespace text not null,
  day date not null,
  -- At either end of a flow.
  first_seen timestamptz not null,
  last_seen timestamptz not null,
  -- Bitmap of the hours (UTC) in which it was the source, bit n for hour n.
  egress_hours integer not null,
  primary key (namespace, day)
);

-- Rows are stored in the order of days, so a BRIN index of a few pages suffices.
create index flow_fact_day_by_day on flow_fact_day using brin (day) with (pages_per_range = 32, autosummarize = on);

create table completeness_report (
  report_id text primary key,
  made_at timestamptz not null,
  -- Counts per verdict, changes, thresholds, gaps; and a row per namespace.
  summary jsonb not null,
  namespaces jsonb not null,
  -- The message, stored before the first attempt to post it; null if there is nothing to post.
  message json,
  -- Whether the message lists all namespaces, not only changes.
  is_whole boolean not null,
  posted_at timestamptz
);

create index completeness_report_by_time on completeness_report (made_at);

-- The current verdict of each namespace.
create table namespace_verdict (
  namespace text primary key,
  verdict text not null check (verdict in ('complete', 'unstable', 'learning', 'stale')),
  since timestamptz not null,
  report_id text not null,
  -- The last posted verdict; null until one was posted.
  told_verdict text
);
