#!/bin/bash
# Runs once, when the volume is new. Creates a role without superuser rights, with which Temporal's schema job creates its two
# databases. ../postgres/create-roles.sh, mounted next to this script, creates the trail's roles.
set -euo pipefail

# psql quotes the values itself (:'name'), so a password may contain any character.
psql --set=ON_ERROR_STOP=1 --no-psqlrc --quiet --username=postgres --dbname=postgres \
  --set=temporal_password="$TEMPORAL_DB_PASSWORD" <<'SQL'
create role temporal login createdb password :'temporal_password';
SQL
