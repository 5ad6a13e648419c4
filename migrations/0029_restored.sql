-- After a restore, the time between the backup and the restore is a gap with that cause. A restore is detected because
-- it changes the identity of the database (server, timeline, database).
alter table trail_state add column database_identity text;
-- Missing buckets before this time were lost with the previous database.
alter table trail_state add column restored_until timestamptz;
