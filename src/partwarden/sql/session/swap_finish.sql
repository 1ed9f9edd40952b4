create function partwarden.swap_finish(p_parent regclass)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- After the cut-over: drops the old default partition, and all that was there for the swap.
declare
    v_swap record := partwarden.swap_names(p_parent);
begin
    execute format('drop table if exists %s', v_swap.old);
    execute format('drop function %s()', v_swap.note);
    execute format('drop table %s, %s, %s', v_swap.log, v_swap.chunks, v_swap.steps);
end
$$;
