-- The export of flow logs lists each settled bucket again and sends its records to a receiver. Which of them the receiver accepted
-- is stored per bucket, so that after a restart, an outage or a late record only the missing ones are sent.
create table bucket_export (
  bucket timestamptz primary key,
  -- Hashes as in bucket_ledger.settled: of records that were accepted, or given up and counted in `rejected`.
  sent bytea not null default '',
  rejected integer not null default 0,
  rejection text,
  -- A whole answer was sent; then, once the trail listed the bucket for the last time, that nothing is missing in `sent`.
  done_at timestamptz,
  checked_at timestamptz,
  -- Processes that began a very large bucket and did not end it: after some of them it is given up, with the reason.
  large_tries integer not null default 0,
  given_up text
);

alter table bucket_export alter column sent set storage external;

-- Time ranges that were not exported completely. The gaps of the trail itself are in `coverage`.
create table export_gap (
  from_time timestamptz primary key,
  to_time timestamptz not null check (to_time > from_time),
  reason text not null check (reason in ('not_exported', 'not_settled', 'missing', 'rejected')),
  cause text not null,
  -- How many records are missing, where that is known.
  records bigint not null default 0
);

create table export_state (
  only_row boolean primary key default true check (only_row),
  -- False once a worker started without a receiver.
  enabled boolean not null default false,
  -- host:port of the receiver.
  receiver text,
  -- When the export worked last: listed, sent, or found nothing to do.
  active_at timestamptz,
  -- The first bucket that was to be exported, and until when gaps are decided.
  began_at timestamptz,
  decided_until timestamptz,
  -- Why records could not be sent last, and until when: the cause of a gap that results.
  trouble text,
  trouble_at timestamptz,
  -- When a receiver accepted records last.
  sent_at timestamptz
);

insert into export_state default values;
