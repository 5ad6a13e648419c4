#!/bin/bash
# Runs once, when the volume is new: a role and database for the trail, and a role with which Temporal's schema job
# creates its own two databases. Neither is a superuser.
set -euo pipefail

# psql quotes the values itself (:'name'), so a password may hold any character.
psql --set=ON_ERROR_STOP=1 --no-psqlrc --quiet --username=postgres --dbname=postgres \
  --set=temporal_password="$TEMPORAL_DB_PASSWORD" --set=flow_trail_password="$FLOW_TRAIL_DB_PASSWORD" <<'SQL'
create role temporal login createdb password :'temporal_password';
create role flow_trail login password :'flow_trail_password';
create database goldmane_edges owner flow_trail;
SQL
