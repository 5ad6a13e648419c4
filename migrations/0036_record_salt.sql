-- The ledger identifies a record by a hash of 64 bits. If the hash function is known, two records with the same hash
-- can be constructed in minutes, and the second one would not be counted. A random salt per database
-- prevents that. The salt stays in the database and in the memory of workers; a backup contains it, because the hashes
-- are useless without it.
create table record_salt (
  only_row boolean primary key default true check (only_row),
  salt bytea not null check (octet_length(salt) = 32)
);

-- gen_random_uuid() has 122 bits from the server's cryptographic random generator.
insert into record_salt (salt)
select sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));

-- Read-only roles may read each new table by default (deploy/postgres/create-roles.sh), but only workers need this one.
do $$
declare
  reader text;
begin
  for reader in
    select case when a.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end
    from pg_class c, aclexplode(c.relacl) a
    where c.oid = 'record_salt'::regclass and a.grantee <> c.relowner
    group by a.grantee having not bool_or(a.privilege_type = 'INSERT')
  loop
    execute 'revoke all on record_salt from ' || reader;
  end loop;
end $$;

-- Existing hashes were computed without the salt. Their rows continue to use unsalted hashes until they leave the
-- ledger, so no record is counted twice and no time is lost. There is intentionally no default: a worker of an older
-- version that is still running would otherwise add unsalted hashes to salted rows; without a default, its merges fail.
alter table bucket_ledger add column salted boolean not null default false;
alter table bucket_ledger alter column salted drop default;
alter table goldmane_run add column salted boolean not null default false;
alter table goldmane_run alter column salted drop default;
