#!/bin/bash
# Runs once, when the volume is new: a role with which Temporal's schema job creates its own two databases. It is not a superuser.
# The roles of the trail are created by ../postgres/create-roles.sh, which is mounted beside this one.
set -euo pipefail

# psql quotes the values itself (:'name'), so a password may hold any character.
psql --set=ON_ERROR_STOP=1 --no-psqlrc --quiet --username=postgres --dbname=postgres \
  --set=temporal_password="$TEMPORAL_DB_PASSWORD" <<'SQL'
create role temporal login createdb password :'temporal_password';
SQL
