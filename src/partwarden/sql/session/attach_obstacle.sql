create function partwarden.attach_obstacle(p_parent regclass, p_interval text)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- Why the default partition can't become an ordinary one as it is, in words; null when it can.
declare
    v_config jsonb := (partwarden.drain_set(p_parent, p_interval)).config;
begin
    if exists (
        select
        from pg_class
        join pg_namespace on pg_namespace.oid = relnamespace
        join pg_index on indrelid = pg_class.oid
        where nspname || '.' || relname = v_config ->> 'template_table'
    ) then
        return 'the template table has indexes that a new partition gets and the default partition may not have';
    end if;
    return null;
end
$$;
