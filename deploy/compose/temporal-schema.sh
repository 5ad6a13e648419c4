#!/bin/sh
# Creates Temporal's databases if they are missing and brings their schemas up to date. Address, user, plugin and
# password come from the SQL_* variables.
set -eu

prepare() { # database, folder of its versioned schema
  temporal-sql-tool --db "$1" create
  temporal-sql-tool --db "$1" setup-schema --version 0.0
  temporal-sql-tool --db "$1" update-schema --schema-dir "/etc/temporal/schema/postgresql/v12/$2/versioned"
}

prepare temporal temporal
prepare temporal_visibility visibility
