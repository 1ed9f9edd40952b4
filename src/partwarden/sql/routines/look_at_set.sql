create function partwarden.look_at_set(p_parent_table text, p_bounds jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- What maintain() has to know of one set: how things stand (p_bounds, unless partitions have come or gone since then), how
-- many partitions pg_partman is going to make (due), where the last of them ends (until), and what is in the default
-- partition. NULL where there are no bounds to look at. Opens no partition that has no file to speak of.
declare
    v_facts      jsonb := p_bounds;
    v_current    timestamptz;
    v_current_id numeric;
    v_child      record;
    v_filled     boolean;
    v_counted    record;
begin
    if v_facts is null
        or partwarden.partition_count((v_facts ->> 'parent')::oid) <> (v_facts ->> 'partition_count')::integer
    then
        v_facts := partwarden.look_at_bounds(p_parent_table);
    end if;
    if v_facts is null then
        return null;
    end if;
    -- pg_partman counts from the last partition with a row in it, or from now.
    case v_facts ->> 'kind'
        when 'id' then
            v_current_id := (v_facts ->> 'position_id')::numeric;
        when 'other' then
            null;
        else
            v_current := case when (v_facts ->> 'infinite')::boolean then now() end;
            for v_child in
                select listed.child, listed.lower_at, pg_class.relkind
                from jsonb_to_recordset(coalesce(nullif(v_facts -> 'ahead', 'null'), '[]')) as listed (child oid, lower_at timestamptz)
                join pg_class on pg_class.oid = listed.child
                order by listed.lower_at desc
            loop
                continue when v_child.relkind = 'r' and pg_relation_size(v_child.child) = 0;
                execute format('select exists (select from %s)', v_child.child::regclass) into v_filled;
                if v_filled then
                    v_current := v_child.lower_at;
                    exit;
                end if;
            end loop;
    end case;
    select counted.* into v_counted
    from partwarden.count_due(v_facts, v_current, v_current_id) counted;
    v_facts := v_facts - 'ahead' || jsonb_build_object(
        'due', v_counted.due, 'until', v_counted.until_text, 'until_at', v_counted.until_at, 'until_id', v_counted.until_id);
    if v_facts ->> 'default_partition' is null then
        return v_facts;
    end if;
    return v_facts || partwarden.look_into_default(v_facts, v_current, v_current_id);
end
$$;
