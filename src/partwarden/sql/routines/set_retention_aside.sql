create function partwarden.set_retention_aside(p_parent_table text, p_facts jsonb)
returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Takes the set's retention out of pg_partman's configuration, for this transaction only, so that
-- run_maintenance() makes partitions and drops none; returns it so that it can be put back. NULL when it stays:
-- there is none, the set is not range-partitioned, or maintenance is so late that pg_partman 5 needs to know the
-- retention in order not to make partitions that it would drop at once.
declare
    v_retention text := p_facts ->> 'retention';
begin
    if v_retention is null
        or p_facts ->> 'kind' <> 'id'
            and (p_facts ->> 'last_upper_at')::timestamptz <= now() - (p_facts ->> 'retention_step')::interval
    then
        return null;
    end if;
    execute format('select retention from %I.part_config where parent_table = $1 for update',
        partwarden.extension_schema('pg_partman'))
    into v_retention using p_parent_table;
    execute format('update %I.part_config set retention = null where parent_table = $1',
        partwarden.extension_schema('pg_partman'))
    using p_parent_table;
    return v_retention;
end
$$;
