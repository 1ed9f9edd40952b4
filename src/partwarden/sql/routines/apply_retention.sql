create function partwarden.apply_retention(p_parent_table text, p_facts jsonb, p_give_up_at timestamptz)
returns integer
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Has pg_partman detach or drop what one set's retention says; returns how many partitions that were. Where some are to
-- go, the locks are taken in the same way as for making partitions.
declare
    v_dropped integer;
begin
    if p_facts is null or p_facts ->> 'async_in_progress' is not null then
        return 0;  -- not range-partitioned: run_maintenance() has seen to its retention itself
    end if;
    perform partwarden.take_partman_lock();
    if p_facts ->> 'kind' = 'id'
        or (p_facts ->> 'first_lower_at')::timestamptz + (p_facts ->> 'step')::interval
            <= now() - (p_facts ->> 'retention_step')::interval
    then
        perform partwarden.keep_vacuum_out(
            array_remove(array[(p_facts ->> 'default_partition')::oid, (p_facts ->> 'parent')::oid], null)::regclass[],
            p_give_up_at);
    end if;
    execute format('select %I.%I($1)', partwarden.extension_schema('pg_partman'),
        case p_facts ->> 'kind' when 'id' then 'drop_partition_id' else 'drop_partition_time' end)
    into v_dropped
    using p_parent_table;
    return v_dropped;
end
$$;
