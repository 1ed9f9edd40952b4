-- relation: partman
-- uses: given
-- why: where pg_partman is, the statement that has it maintain all sets, and whether partwarden is here as well
--      (is_guarded); one row, or none without it
select
    namespace.nspname                                       as schema,
    (regexp_match(extension.extversion, '^\d+'))[1]::integer as major,
    case when given.fact ->> 'monitor' is not null then 'call partwarden.maintain();'
         else format('call %I.run_maintenance_proc();', namespace.nspname) end as maintain,
    given.fact ->> 'monitor' is not null                    as is_guarded
from pg_catalog.pg_extension extension
join pg_catalog.pg_namespace namespace on namespace.oid = extension.extnamespace
cross join given
where extension.extname = 'pg_partman'
