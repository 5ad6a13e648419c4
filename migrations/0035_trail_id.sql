-- Supervisor, schedules and activities carry the id of their database, so that two installations that share
-- a Temporal namespace by mistake never take over each other's work. A dump and a restore keep the id.
alter table trail_state add column trail_id uuid not null default gen_random_uuid();
