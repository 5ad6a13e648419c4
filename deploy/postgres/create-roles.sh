#!/bin/bash
# Creates the trail's database and three roles, or adds whatever is missing; it can be run repeatedly. Uses psql's own
# connection variables (PGHOST, PGUSER, ...) and a role that may create roles and databases.
#
#   flow_trail_owner   owns the tables and migrates them: flow-trail migrate
#   flow_trail         the worker: reads and writes rows, cannot change or drop a table
#   flow_trail_reader  the command line and dashboards: reads
#
# Passwords come from FLOW_TRAIL_OWNER_PASSWORD, FLOW_TRAIL_DB_PASSWORD and FLOW_TRAIL_READER_PASSWORD; those of existing
# roles are changed. FLOW_TRAIL_DATABASE (goldmane_edges) and FLOW_TRAIL_SCHEMA (public) select another database or schema.
# FLOW_TRAIL_ROLE (flow_trail) selects other names: with flow_trail_north, the roles are flow_trail_north_owner,
# flow_trail_north and flow_trail_north_reader. Several clusters on one server either have roles of their own, or share
# the same three roles and passwords.
set -euo pipefail

database="${FLOW_TRAIL_DATABASE:-goldmane_edges}"
schema="${FLOW_TRAIL_SCHEMA:-public}"
role="${FLOW_TRAIL_ROLE:-flow_trail}"
for name in FLOW_TRAIL_OWNER_PASSWORD FLOW_TRAIL_DB_PASSWORD FLOW_TRAIL_READER_PASSWORD; do
  if [ -z "${!name:-}" ]; then
    echo "create-roles.sh: $name is not set; set it to the role's password" >&2
    exit 2
  fi
  # psql reads it from the environment, so that it is not in the process list.
  export "${name?}"
done
# PostgreSQL truncates names to 63 bytes, and the longest suffix has 7.
if [ "${#role}" -gt 56 ]; then
  echo "create-roles.sh: FLOW_TRAIL_ROLE \"$role\" is longer than 56 characters; use a shorter name" >&2
  exit 2
fi

run() {
  psql --set=ON_ERROR_STOP=1 --no-psqlrc --quiet --set=database="$database" --set=schema="$schema" \
    --set=owner="${role}_owner" --set=writer="$role" --set=reader="${role}_reader" "$@"
}

# psql quotes the values itself (:'name'), so a password may contain any character.
run --dbname=postgres <<'SQL'
\set owner_password `printenv FLOW_TRAIL_OWNER_PASSWORD`
\set writer_password `printenv FLOW_TRAIL_DB_PASSWORD`
\set reader_password `printenv FLOW_TRAIL_READER_PASSWORD`
select format('create role %I login', name)
from unnest(array[:'owner', :'writer', :'reader']) as name
where not exists (select from pg_roles where rolname = name) \gexec
alter role :"owner" password :'owner_password';
alter role :"writer" password :'writer_password';
alter role :"reader" password :'reader_password';
select format('create database %I owner %I', :'database', :'owner')
where not exists (select from pg_database where datname = :'database') \gexec
revoke all on database :"database" from public;
grant connect on database :"database" to :"writer", :"reader";
SQL

run --dbname="$database" <<'SQL'
select format('create schema %I authorization %I', :'schema', :'owner')
where not exists (select from pg_namespace where nspname = :'schema') \gexec
revoke create on schema :"schema" from public;
grant all on schema :"schema" to :"owner";
grant usage on schema :"schema" to :"writer", :"reader";
grant select, insert, update, delete on all tables in schema :"schema" to :"writer";
grant usage on all sequences in schema :"schema" to :"writer";
grant select on all tables in schema :"schema" to :"reader";
-- With the salt and the hashes one could construct a record that is taken for another one.
select format('revoke all on %I.record_salt from %I', :'schema', :'reader')
where to_regclass(format('%I.record_salt', :'schema')) is not null \gexec
alter default privileges for role :"owner" in schema :"schema"
  grant select, insert, update, delete on tables to :"writer";
alter default privileges for role :"owner" in schema :"schema" grant usage on sequences to :"writer";
alter default privileges for role :"owner" in schema :"schema" grant select on tables to :"reader";
SQL
