create function partwarden.repair_step(p_step jsonb, p_give_up_at timestamptz)
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Drains one interval of a repair, and keeps the record of the repair up to date, in one transaction; returns its number.
-- An interval whose locks can't be had now is undone as a whole, by the error that is raised.
declare
    v_parent regclass := (p_step ->> 'parent')::oid;
    v_repair bigint := (p_step ->> 'repair')::bigint;
    v_moved  bigint;
begin
    perform partwarden.take_partman_lock();
    perform partwarden.keep_vacuum_out(array[(p_step ->> 'default_partition')::oid, v_parent]::regclass[], p_give_up_at);
    v_moved := partwarden.drain_interval(v_parent, null, p_step ->> 'lower_bound', p_step ->> 'upper_bound',
        (p_step ->> 'child')::name);
    if v_repair is null then
        insert into partwarden.repair (maintenance_id, parent_table, partitions, rows_moved)
        values ((p_step ->> 'call')::bigint, p_step ->> 'parent_table', 1, v_moved)
        returning id into v_repair;
    else
        update partwarden.repair
        set partitions = partitions + 1, rows_moved = rows_moved + v_moved, at = clock_timestamp()
        where id = v_repair;
    end if;
    return to_jsonb(v_repair);
end
$$;
