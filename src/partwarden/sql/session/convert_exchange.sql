create function partwarden.convert_exchange(p_facts jsonb)
returns table (statement text, lock text, object text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- The statements of the one transaction that makes a table a partition of a set that bears its name, in their order, behind
-- those of convert_locks(). Before it the table has got what convert_preparations() says.
declare
    v_table  regclass := (p_facts ->> 'table')::oid::regclass;
    v_name   text := p_facts ->> 'name';
    v_new    text := p_facts ->> 'new_name';
    v_names  jsonb;
    v_key    record;
begin
    return query select format('select partwarden.convert_open(%s, %L)', v_table::oid, partwarden.convert_fingerprint(v_table)),
        null, v_name;

    return query select moved.statement, moved.lock, moved.object
    from partwarden.convert_references(v_table, v_name) as moved where stage = 'take';
    return query select format('alter table %s drop constraint %I', v_name, conname), 'access exclusive', v_name
    from pg_constraint where contype = 'f' and conrelid = v_table and confrelid = v_table order by conname;
    return query select moved.statement, moved.lock, moved.object
    from partwarden.convert_behaviour(v_table, v_name) as moved where stage = 'take';
    return query select moved.statement, moved.lock, moved.object
    from partwarden.convert_access(v_table, v_name) as moved where stage = 'take';

    if (p_facts ->> 'is_nullable')::boolean and not (p_facts ->> 'has_nulls')::boolean then
        return query select format('alter table %s alter column %I set not null', v_name, p_facts ->> 'control'),
            'access exclusive', v_name;
    end if;
    return query select format('alter table %s rename to %I', v_name,
        case p_facts ->> 'form' when 'first' then p_facts ->> 'child' else p_facts ->> 'prefix' end), 'access exclusive', v_name;
    select jsonb_object_agg(index_name, new_name) into v_names from partwarden.convert_index_names(p_facts);
    -- A key that lacks the control column makes room for one that has it.
    for v_key in
        select
            key.*, v_names ->> key.index_name as own_name, v_names ->> key.wide_name as new_wide_name,
            v_names ->> key.local_name as new_local_name
        from partwarden.convert_keys(p_facts) as key
        order by place
    loop
        if v_key.new_local_name is not null then
            return query select format('alter table %s drop constraint %I', v_new, v_key.constraint_name), 'access exclusive', v_new;
            return query select format('alter index %I.%I rename to %I', p_facts ->> 'schema', v_key.local_name, v_key.new_local_name),
                'share update exclusive', v_new;
        else
            return query select format('alter index %I.%I rename to %I', p_facts ->> 'schema', v_key.index_name, v_key.own_name),
                'share update exclusive', v_new;
        end if;
        if v_key.lacks_control and v_key.constraint_name is not null then
            return query select format('alter table %s add constraint %I %s using index %I%s', v_new, v_key.new_wide_name,
                case v_key.kind when 'p' then 'primary key' else 'unique' end, v_key.wide_name,
                coalesce(' ' || substring(v_key.constraint_definition from '(DEFERRABLE.*)$'), '')), 'access exclusive', v_new;
        elsif v_key.lacks_control then
            return query select format('alter index %I.%I rename to %I', p_facts ->> 'schema', v_key.wide_name, v_key.new_wide_name),
                'share update exclusive', v_new;
        end if;
        if v_key.lacks_control then
            return query select format('comment on index %I.%I is ''partwarden convert: for the key of the set''',
                p_facts ->> 'schema', v_key.new_wide_name), 'share update exclusive', v_new;
        end if;
    end loop;

    return query select made.statement, made.lock, made.object from partwarden.convert_parent(p_facts) as made;
    return query select moved.statement, moved.lock, moved.object
    from partwarden.convert_sequences(v_table, v_name, v_new) as moved;
    return query select moved.statement, moved.lock, moved.object
    from partwarden.convert_access(v_table, v_name) as moved where stage = 'give';
    return query select placed.statement, placed.lock, placed.object from partwarden.convert_partman(p_facts) as placed;
    return query select moved.statement, moved.lock, moved.object
    from partwarden.convert_behaviour(v_table, v_name) as moved where stage = 'give';
    return query select moved.statement, moved.lock, moved.object
    from partwarden.convert_references(v_table, v_name) as moved where stage = 'give';
    return query select format('select partwarden.convert_refer_to_itself(%L, %L, %L, %L)', v_name, p_facts ->> 'final_name',
        conname, pg_get_constraintdef(oid)), 'share row exclusive', v_name
    from pg_constraint where contype = 'f' and conrelid = v_table and confrelid = v_table order by conname;
end
$$;
