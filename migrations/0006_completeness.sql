-- An allowlist is complete once its namespace was watched for long enough: that takes when each namespace was seen, what
-- was judged of it, and what people were told.

-- Per namespace and day (UTC) what the facts tell, rolled up once the day's buckets are refused by the ledger: from then on
-- it cannot change. Days that are not here yet are read from the facts.
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

-- Days lie in the order in which they were written, so a few pages of this find them.
create index flow_fact_day_by_day on flow_fact_day using brin (day) with (pages_per_range = 32, autosummarize = on);

create table completeness_report (
  report_id text primary key,
  made_at timestamptz not null,
  -- Counts per verdict, changes, thresholds, gaps; and a row per namespace.
  summary jsonb not null,
  namespaces jsonb not null,
  -- What is posted, frozen before it is posted for the first time; null: there is nothing to tell.
  message json,
  -- Whether the message tells the whole, and not only changes.
  is_whole boolean not null,
  posted_at timestamptz
);

create index completeness_report_by_time on completeness_report (made_at);

-- What is known of each namespace now.
create table namespace_verdict (
  namespace text primary key,
  verdict text not null check (verdict in ('complete', 'unstable', 'learning', 'stale')),
  since timestamptz not null,
  report_id text not null,
  -- The verdict that was posted last; null until one was.
  told_verdict text
);
