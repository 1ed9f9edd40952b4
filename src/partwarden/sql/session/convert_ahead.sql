create function partwarden.convert_ahead(p_facts jsonb, p_parent text, p_parent_table text, p_old text)
returns table (stage text, statement text, lock text, object text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- What has pg_partman make the other partitions after the exchange, one at a time ('make 1', 'make 2', …). p_old is what the
-- table is called now. Where that is the default partition, PostgreSQL need not read it as long as the guard stands.
declare
    v_is_id   boolean := p_facts ->> 'kind' = 'id';
    v_quick   text := case when (p_facts ->> 'is_partman_4')::boolean then ', p_analyze => false' else '' end;
    v_place   text;
begin
    for v_number in case when v_is_id then 2 else 1 end .. (p_facts ->> 'partitions')::integer - 1 loop
        stage := 'make ' || v_number;
        return query values (stage, 'select partwarden.take_partman_lock()', 'advisory', 'maintenance by pg_partman');
        if p_facts ->> 'form' = 'default' then
            return query values
                (stage, format('lock table only %s in share update exclusive mode', p_parent), 'share update exclusive', p_parent),
                (stage, format('lock table %s in access exclusive mode', p_old), 'access exclusive', p_old),
                (stage, format('select partwarden.convert_open(%L)', p_old), null, p_old);
        end if;
        v_place := case when v_is_id then ((p_facts ->> 'start')::numeric + v_number * (p_facts ->> 'interval')::numeric)::text
            else format('%L::timestamptz', (p_facts ->> 'start')::timestamptz + v_number * (p_facts ->> 'interval')::interval) end;
        return query select stage, format('select %I.%I(%L, array[%s]%s)', p_facts ->> 'partman',
            case when v_is_id then 'create_partition_id' else 'create_partition_time' end, p_parent_table, v_place, v_quick),
            'share update exclusive', p_parent;
    end loop;
end
$$;
