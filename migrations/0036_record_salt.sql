-- The ledger identifies a record by a hash of 64 bits. Two records with one hash can be constructed in minutes if the hash
-- function is known, and the second one would be taken for the first. A random salt per database makes that impossible. It
-- stays in the database and in the memory of workers; a backup contains it, because the hashes are of no use without it.
create table record_salt (
  only_row boolean primary key default true check (only_row),
  salt bytea not null check (octet_length(salt) = 32)
);

-- gen_random_uuid() has 122 bits from the server's cryptographic random generator.
insert into record_salt (salt)
select sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));

-- Roles that only read get the right to read each new table (deploy/postgres/create-roles.sh). Only workers need this one.
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

-- Hashes that are there were computed without the salt. Their rows keep being compared that way until they leave the ledger, so
-- no record is counted twice and no time is lost. There is no default on purpose: a worker of an older version, which may still
-- run while this one starts, would add hashes without the salt to rows with it; its merges fail instead.
alter table bucket_ledger add column salted boolean not null default false;
alter table bucket_ledger alter column salted drop default;
alter table goldmane_run add column salted boolean not null default false;
alter table goldmane_run alter column salted drop default;
