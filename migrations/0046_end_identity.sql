-- Anyone who labels pods or creates network sets chooses the identities of a namespace. Their number is limited per namespace
-- (IDENTITY_CAP); this table counts them without reading all groups of facts.
create table end_identity (
  ns text not null,
  kind text not null check (kind in ('workload', 'networkset')),
  identity text not null,
  -- The newest day (UTC) of its facts; identities that were not seen for long do not count.
  last_day date not null,
  primary key (ns, kind, identity)
);

-- Existing identities count as seen today, so that none is lost by the upgrade.
insert into end_identity
select ns, kind, identity, (now() at time zone 'UTC')::date from (
  select src_ns as ns, src_kind as kind, src_identity as identity from flow_group
  union
  select dst_ns, dst_kind, dst_identity from flow_group
) i
where kind in ('workload', 'networkset') and ns <> '' and identity <> ''
order by 1, 2, 3;

-- Namespaces with identities that were not stored.
create table identity_overflow (
  ns text primary key,
  first_at timestamptz not null,
  last_at timestamptz not null
);
