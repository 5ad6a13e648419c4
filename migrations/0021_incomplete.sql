-- A bucket from which a record was rejected is not complete, although it was listed. The count is the number of missing
-- records, so that no report treats such time as covered.

-- Records of the newest response for this bucket that could not be read.
alter table bucket_ledger add column refused_records int not null default 0;

alter table coverage add column refused_records bigint not null default 0;
alter table coverage drop constraint coverage_state_check;
alter table coverage add constraint coverage_state_check
  check (state in ('final', 'settled', 'streamed', 'gap', 'incomplete'));
