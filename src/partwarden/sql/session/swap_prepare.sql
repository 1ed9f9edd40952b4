create function partwarden.swap_prepare(p_parent regclass, p_interval text, p_pages integer)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Makes the partitions that are to be, empty and without indexes, as partitions of a stage into which everything is copied
-- at once, and a new default partition for what stays; and notes which pages are to be copied, p_pages at a time.
declare
    v_set     record := partwarden.drain_set(p_parent, p_interval);
    v_swap    record := partwarden.swap_names(p_parent);
    v_stage   text := format('%I.%I', v_set.schema, v_swap.prefix || '_stage');
    v_rest    text := format('%I.%I', v_set.schema, v_swap.prefix || '_rest');
    v_step    record;
    v_child   text;
begin
    execute format('create table %s (like %s including constraints including defaults including generated)
        partition by range (%I)', v_stage, p_parent, v_set.control);
    for v_step in execute format('select * from %s order by number', v_swap.steps) loop
        v_child := format('%I.%I', v_set.schema, v_step.child);
        perform partwarden.make_loose_child(p_parent, p_interval, v_step.child, v_step.lower_bound, v_step.upper_bound);
        execute format('alter table %s attach partition %s for values from (%L) to (%L)',
            v_stage, v_child, v_step.lower_bound, v_step.upper_bound);
        execute format('update %s set relation = %L::regclass where number = $1', v_swap.steps, v_child) using v_step.number;
    end loop;

    perform partwarden.make_loose_default(v_set.default_partition, v_rest);
    execute format('alter table %s attach partition %s default', v_stage, v_rest);
    execute format('insert into %s (number, child, relation) values (0, $1, %L::regclass)', v_swap.steps, v_rest)
    using (select relname from pg_class where oid = v_set.default_partition);

    execute format('insert into %s (page, until_page)
        select page, page + $2 from generate_series(0, $1 - 1, $2) as page', v_swap.chunks)
    using pg_relation_size(v_set.default_partition) / current_setting('block_size')::bigint, p_pages::bigint;
    execute format('comment on table %s is %L', v_swap.chunks, pg_relation_filenode(v_set.default_partition)::text);
end
$$;
