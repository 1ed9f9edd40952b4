create function partwarden.recover_async(p_parent regclass)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
set row_security = off
as $$
-- Puts the rows that an interrupted partition_data_async() has left in its storage table back into the set, and has
-- maintenance look after the set again; returns how many rows. Nobody's triggers fire: to them nothing has happened.
declare
    v_state   record := partwarden.repair_state(p_parent);
    v_columns text;
    v_muted   jsonb := '[]';
    v_moved   bigint := 0;
begin
    perform partwarden.refuse_working('partition_data_async');
    if v_state.storage is not null then
        select string_agg(quote_ident(attname), ', ' order by attnum)
        into v_columns
        from pg_attribute
        where attrelid = v_state.storage and attnum > 0 and not attisdropped
          and attname in (select attname from pg_attribute where attrelid = p_parent and attgenerated = '');
        v_muted := partwarden.mute_triggers(p_parent);
        execute format('lock table %s in access exclusive mode', v_state.storage);
        execute format('insert into %s (%s) overriding system value select %2$s from %s', p_parent, v_columns, v_state.storage);
        get diagnostics v_moved = row_count;
        execute format('drop table %s', v_state.storage);
        perform partwarden.unmute_triggers(v_muted);
    end if;
    execute format('update %I.part_config set async_partitioning_in_progress = null where parent_table = $1',
        partwarden.extension_schema('pg_partman'))
    using v_state.parent_table;
    return v_moved;
end
$$;
