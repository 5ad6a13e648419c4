-- The supervisor for which workers use this database. Two clusters with the same DATABASE_URL would mix their flows permanently:
-- a worker with another supervisor therefore starts only once no process with this one is alive, and commands compare
-- CLUSTER_NAME with it.
alter table trail_state add column supervisor text;
-- Where each process runs: the workflow id, and the Temporal namespace with its id on that server. Null until it polls, and for
-- processes of older versions.
alter table worker_process add column supervisor text, add column temporal_namespace text;
