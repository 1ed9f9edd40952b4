create function partwarden.whole_clear(p_parent regclass)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Removes what whole_place() has made, wherever its constraint has got to; nothing where there is nothing.
declare
    v_swap  record := partwarden.swap_names(p_parent);
    v_table regclass;
begin
    if to_regclass(format('%I.%I', v_swap.schema, v_swap.prefix || '_whole_seen')) is null then
        return;
    end if;
    for v_table in
        select relid from pg_partition_tree(p_parent)
        where exists (select from pg_constraint where conrelid = relid and conname = 'partwarden_drain_whole')
           or exists (select from pg_trigger where tgrelid = relid and tgname = 'partwarden_drain_whole')
    loop
        execute format('alter table %s drop constraint if exists partwarden_drain_whole', v_table);
        execute format('drop trigger if exists partwarden_drain_whole on %s', v_table);
    end loop;
    execute format('drop function if exists %1$I.%2$I(), %1$I.%3$I()',
        v_swap.schema, v_swap.prefix || '_whole', v_swap.prefix || '_whole_note');
    execute format('drop sequence %I.%I', v_swap.schema, v_swap.prefix || '_whole_seen');
end
$$;
