-- The export of flow logs lists each settled bucket again and sends its records to a receiver. For each bucket, the records
-- that the receiver accepted are stored, so that only missing records are sent after a restart, an outage or a late record.
create table bucket_export (
  bucket timestamptz primary key,
  -- Hashes as in bucket_ledger.settled, of records that were accepted, or rejected and counted in `rejected`.
  sent bytea not null default '',
  rejected integer not null default 0,
  rejection text,
  -- done_at: a complete response was sent. checked_at: the trail has listed the bucket for the last time, and `sent` is complete.
  done_at timestamptz,
  checked_at timestamptz,
  -- Processes that started a very large bucket and did not finish it; after several, the bucket is given up, with the reason.
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
  -- The number of missing records, if known.
  records bigint not null default 0
);

create table export_state (
  only_row boolean primary key default true check (only_row),
  -- False once a worker has started without a receiver.
  enabled boolean not null default false,
  -- host:port of the receiver.
  receiver text,
  -- When the export last worked: listed, sent, or found nothing to do.
  active_at timestamptz,
  -- The first bucket to be exported, and the time up to which gaps are decided.
  began_at timestamptz,
  decided_until timestamptz,
  -- Why and until when records could last not be sent; the cause of a resulting gap.
  trouble text,
  trouble_at timestamptz,
  -- When a receiver last accepted records.
  sent_at timestamptz
);

insert into export_state default values;
