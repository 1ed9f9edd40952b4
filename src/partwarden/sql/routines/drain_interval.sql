create function partwarden.drain_interval(
    p_parent regclass, p_interval text, p_lower text, p_upper text, p_child name)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
set row_security = off
as $$
-- Makes one partition, as pg_partman would, and moves its rows from the default partition into it, in the current
-- transaction; returns how many. lower and upper are literals of the control column's type, as drain_plan() tells them.
--
-- The parent is locked first, and against readers: one who has read its list of partitions and waits for the default one
-- would see the rows in neither. Nobody's triggers fire, for to them nothing happens; nor do foreign keys act that
-- reference the set. Call validate_references() afterwards. Waits for locks as lock_timeout says.
declare
    v_set      record := partwarden.drain_set(p_parent, p_interval);
    v_columns  text;
    v_moved    bigint;
    v_arrived  bigint;
    v_dropped  jsonb;
    v_muted    jsonb;
begin
    execute format('lock table only %s in access exclusive mode', p_parent);
    execute format('lock table %s in access exclusive mode', v_set.default_partition);
    perform partwarden.refuse_drain(p_parent);
    v_dropped := partwarden.drop_references(p_parent);
    v_muted := partwarden.mute_triggers(v_set.default_partition);

    select string_agg(quote_ident(attname), ', ' order by attnum)
    into v_columns
    from pg_attribute
    where attrelid = v_set.default_partition and attnum > 0 and not attisdropped and attgenerated = '';
    execute format('create temporary table partwarden_moved on commit drop as select %s from %s where false',
        v_columns, v_set.default_partition);
    execute format(
        'with moved as (delete from %1$s where %2$I >= %3$L::%5$s and %2$I < %4$L::%5$s returning %6$s)
         insert into pg_temp.partwarden_moved select * from moved',
        v_set.default_partition, v_set.control, p_lower, p_upper, v_set.control_type, v_columns);
    get diagnostics v_moved = row_count;

    perform partwarden.make_child(to_jsonb(v_set), p_lower, p_upper, p_child);
    v_muted := v_muted || partwarden.mute_triggers(format('%I.%I', v_set.schema, p_child)::regclass);
    execute format('insert into %1$I.%2$I (%3$s) overriding system value select %3$s from pg_temp.partwarden_moved',
        v_set.schema, p_child, v_columns);
    get diagnostics v_arrived = row_count;
    drop table pg_temp.partwarden_moved;
    if v_arrived <> v_moved then
        raise exception 'could not drain %: % rows left the default partition, % arrived in %',
            v_set.name, v_moved, v_arrived, p_child using errcode = 'data_corrupted';
    end if;

    perform partwarden.unmute_triggers(v_muted);
    perform partwarden.restore_references(v_dropped);
    return v_moved;
end
$$;
comment on function partwarden.drain_interval(regclass, text, text, text, name) is
    'Makes one partition and moves its rows from the default partition into it, in the current transaction.';
