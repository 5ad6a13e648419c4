#!/bin/bash
# Creates the trail's database and three roles, or adds whatever is missing; it can be run repeatedly. Uses psql's own
# connection variables (PGHOST, PGUSER, ...) and a role that may create roles and databases.
#
#   flow_trail_owner   owns the tables and migrates them: flow-trail migrate
#   flow_trail         the worker: reads and writes rows, cannot change or drop a table
#   flow_trail_reader  the command line and dashboards: reads
#
# Passwords come from FLOW_TRAIL_OWNER_PASSWORD, FLOW_TRAIL_DB_PASSWORD and FLOW_TRAIL_READER_PASSWORD. FLOW_TRAIL_DATABASE
# (goldmane_edges) and FLOW_TRAIL_SCHEMA (public) select another database or schema; several clusters with one schema each share the roles.
set -euo pipefail

database="${FLOW_TRAIL_DATABASE:-goldmane_edges}"
schema="${FLOW_TRAIL_SCHEMA:-public}"

run() {
  psql --set=ON_ERROR_STOP=1 --no-psqlrc --quiet --set=database="$database" --set=schema="$schema" \
    --set=owner_password="$FLOW_TRAIL_OWNER_PASSWORD" --set=writer_password="$FLOW_TRAIL_DB_PASSWORD" \
    --set=reader_password="$FLOW_TRAIL_READER_PASSWORD" "$@"
}

# psql quotes the values itself (:'name'), so a password may contain any character.
run --dbname=postgres <<'SQL'
select format('create role %I login', name)
from unnest(array['flow_trail_owner', 'flow_trail', 'flow_trail_reader']) as name
where not exists (select from pg_roles where rolname = name) \gexec
alter role flow_trail_owner password :'owner_password';
alter role flow_trail password :'writer_password';
alter role flow_trail_reader password :'reader_password';
select format('create database %I owner flow_trail_owner', :'database')
where not exists (select from pg_database where datname = :'database') \gexec
revoke all on database :"database" from public;
grant connect on database :"database" to flow_trail, flow_trail_reader;
SQL

run --dbname="$database" <<'SQL'
select format('create schema %I authorization flow_trail_owner', :'schema')
where not exists (select from pg_namespace where nspname = :'schema') \gexec
revoke create on schema :"schema" from public;
grant all on schema :"schema" to flow_trail_owner;
grant usage on schema :"schema" to flow_trail, flow_trail_reader;
grant select, insert, update, delete on all tables in schema :"schema" to flow_trail;
grant usage on all sequences in schema :"schema" to flow_trail;
grant select on all tables in schema :"schema" to flow_trail_reader;
-- With the salt and the hashes one could construct a record that is taken for another one.
select format('revoke all on %I.record_salt from flow_trail_reader', :'schema')
where to_regclass(format('%I.record_salt', :'schema')) is not null \gexec
alter default privileges for role flow_trail_owner in schema :"schema"
  grant select, insert, update, delete on tables to flow_trail;
alter default privileges for role flow_trail_owner in schema :"schema" grant usage on sequences to flow_trail;
alter default privileges for role flow_trail_owner in schema :"schema" grant select on tables to flow_trail_reader;
SQL
