create function partwarden.guard_names(p_parent oid, out escape text, out note text, out seen text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- What a guard is made of, beside the constraint and the trigger, both partwarden_guard, on the default partition. It is in
-- the set's own schema, so that partwarden can replace all its routines while one stands.
select format('%I.%I', nspname, prefix), format('%I.%I', nspname, prefix || '_note'), format('%I.%I', nspname, prefix || '_seen')
from pg_class
join pg_namespace on pg_namespace.oid = relnamespace
cross join lateral (select 'partwarden_guard_' || pg_class.oid as prefix) named
where pg_class.oid = p_parent
$$;
