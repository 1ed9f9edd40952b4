create function partwarden.make_partitions(p_parent_table text, p_facts jsonb, p_give_up_at timestamptz)
returns integer
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Has pg_partman make the next partitions of one set, without retention; returns how many there are more, or raises
-- pg_partman's error. Where something is due, the locks are taken first, in pg_partman's order, and each but the last in a
-- mode that keeps nobody who reads or writes from going on.
declare
    v_schema     name := partwarden.extension_schema('pg_partman');
    v_default    regclass := (p_facts ->> 'default_partition')::oid;
    v_parent     oid := coalesce((p_facts ->> 'parent')::oid, (
        select pg_class.oid
        from pg_class join pg_namespace on pg_namespace.oid = relnamespace
        where nspname = split_part(p_parent_table, '.', 1)::name and relname = split_part(p_parent_table, '.', 2)::name));
    v_before     integer := partwarden.partition_count(v_parent);
    v_retention  text;
    v_ignore     boolean := false;
    v_is_guarded boolean := false;
begin
    perform partwarden.take_partman_lock();
    if v_default is not null and (p_facts ->> 'default_bytes')::bigint is distinct from 0 then
        perform partwarden.refuse_runaway(p_parent_table);
    end if;
    if (p_facts ->> 'due')::integer > coalesce((p_facts ->> 'made')::integer, 0) then
        perform partwarden.refuse_rows_in_the_way(p_facts);
        v_ignore := partwarden.set_default_data_aside(p_parent_table, p_facts);
        v_retention := partwarden.set_retention_aside(p_parent_table, p_facts);
        perform partwarden.lock_for_attaching(p_facts, p_give_up_at);
        if v_default is not null then
            v_is_guarded := partwarden.open_guard(p_facts);
        end if;
    else
        v_retention := partwarden.set_retention_aside(p_parent_table, p_facts);
    end if;
    execute format('select %I.run_maintenance($1)', v_schema) using p_parent_table;
    if v_is_guarded then
        perform partwarden.close_guard(v_default);
    end if;
    if v_retention is not null or v_ignore then
        execute format('update %I.part_config
            set retention = coalesce($1, retention), ignore_default_data = ignore_default_data and not $2
            where parent_table = $3', v_schema)
        using v_retention, v_ignore, p_parent_table;
    end if;
    return greatest(partwarden.partition_count(v_parent) - v_before, 0);
end
$$;
