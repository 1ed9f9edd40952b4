create function partwarden.guards()
returns table (parent oid, schema name, prefix name, tables regclass[])
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- Every guard that stands, or is left behind: found by the names of its function and its sequence, by index. tables are those
-- that have its constraint or its trigger.
select
    substr(made.prefix, length('partwarden_guard_') + 1)::oid,
    nspname,
    made.prefix::name,
    array(
        select conrelid::regclass from pg_constraint
        where conname = 'partwarden_guard' and conrelid <> 0
          and exists (select from pg_depend
                      where pg_depend.classid = 'pg_constraint'::regclass and pg_depend.objid = pg_constraint.oid
                        and pg_depend.refclassid = 'pg_proc'::regclass
                        and pg_depend.refobjid = to_regproc(format('%I.%I', nspname, made.prefix))::oid)
        union
        select tgrelid::regclass
        from pg_depend
        join pg_trigger on pg_trigger.oid = pg_depend.objid
        where pg_depend.classid = 'pg_trigger'::regclass
          and pg_depend.refclassid = 'pg_proc'::regclass
          and pg_depend.refobjid = to_regproc(format('%I.%I', nspname, made.prefix || '_note'))::oid
    )
from (
    select pronamespace as namespace, proname::text as prefix from pg_proc where proname like 'partwarden\_guard\_%'
    union
    select relnamespace, left(relname, -5) from pg_class where relname like 'partwarden\_guard\_%\_seen'
) made
join pg_namespace on pg_namespace.oid = made.namespace
where made.prefix ~ '^partwarden_guard_\d+$'
$$;
