create function partwarden.make_child(p_set jsonb, p_lower text, p_upper text, p_child name)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Makes one partition: by pg_partman where it manages the set, so that names, template, privileges and sub-partitions are
-- as it makes them; else by plain DDL. p_set is what drain_set() or look_at_set() says of the set: others wait meanwhile, so
-- nothing is looked up again. Raises an error when it is not there afterwards.
declare
    v_set    record;
    v_schema name := partwarden.extension_schema('pg_partman');
    v_at     timestamptz;
    -- pg_partman 4 would analyze the whole set, under our lock.
    v_quick  text := case when exists (
        select from pg_proc
        where pronamespace = quote_ident(v_schema)::regnamespace and proname = 'create_partition_time'
          and 'p_analyze' = any (proargnames)) then ', p_analyze => false' else '' end;
begin
    select * into v_set
    from jsonb_to_record(p_set) as set (
        parent regclass, name text, parent_table text, schema name, kind text, epoch_unit integer, decoder text,
        is_managed boolean);
    if not v_set.is_managed then
        execute format('create table %I.%I partition of %s for values from (%L) to (%L)',
            v_set.schema, p_child, v_set.parent, p_lower, p_upper);
    elsif v_set.kind = 'id' then
        execute format('select %I.create_partition_id($1, array[$2]%s)', v_schema, v_quick)
        using v_set.parent_table, p_lower::numeric::bigint;
    else
        case v_set.kind
            when 'epoch' then v_at := to_timestamp(p_lower::numeric / v_set.epoch_unit);
            when 'encoded' then execute format('select %s($1)', v_set.decoder) into v_at using p_lower;
            else v_at := p_lower::timestamptz;
        end case;
        execute format('select %I.create_partition_time($1, array[$2]%s)', v_schema, v_quick) using v_set.parent_table, v_at;
    end if;
    if not exists (
        select
        from pg_inherits
        join pg_class on pg_class.oid = inhrelid
        where inhparent = v_set.parent and relname = p_child and relnamespace = quote_ident(v_set.schema)::regnamespace
    ) then
        raise exception 'pg_partman did not make partition % of %', p_child, v_set.name
            using errcode = 'object_not_in_prerequisite_state',
                hint = 'Does another relation bear that name?';
    end if;
end
$$;
