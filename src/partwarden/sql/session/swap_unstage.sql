create function partwarden.swap_unstage(p_parent regclass)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Takes the stage down: what is to become partitions stands by itself from now on.
declare
    v_swap  record := partwarden.swap_names(p_parent);
    v_child regclass;
begin
    for v_child in select inhrelid::regclass from pg_inherits where inhparent = v_swap.stage loop
        execute format('alter table %s detach partition %s', v_swap.stage, v_child);
    end loop;
    execute format('drop table %s', v_swap.stage);
end
$$;
