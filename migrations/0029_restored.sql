-- After a restore the time between the backup and the restore is a gap, and its cause is the restore. The identity of the
-- database (server, timeline, database) changes with a restore.
alter table trail_state add column database_identity text;
-- Missing buckets before this were lost with the database.
alter table trail_state add column restored_until timestamptz;
