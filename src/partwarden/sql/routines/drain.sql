create procedure partwarden.drain(
    p_parent text, p_interval text default null, p_from text default null, p_to text default null,
    p_max_new_partitions integer default 200)
language plpgsql
as $$
-- Moves the rows of a default partition into partitions of their own, one interval after the other, each in a
-- transaction; interrupted and called again, it goes on. p_parent is the name as pg_partman has it, or as SQL writes it.
-- Rows that stay are told in a NOTICE. An interval whose locks can't be had in time ends it with an error that names
-- who holds them.
declare
    v_parent regclass := partwarden.find_set(p_parent);
    v_step   record;
    v_plan   jsonb;
begin
    perform partwarden.refuse_drain(v_parent);
    select pg_catalog.jsonb_agg(pg_catalog.to_jsonb(planned) order by planned.distance) into v_plan
    from partwarden.drain_plan(v_parent, p_interval, p_from, p_to, p_max_new_partitions) planned;
    commit;
    for v_step in
        select * from pg_catalog.jsonb_to_recordset(v_plan)
            as step (number integer, lower_bound text, upper_bound text, child name, rows bigint, note text)
    loop
        if v_step.child is null then
            raise notice '% rows stay (% to %): %', v_step.rows, v_step.lower_bound, v_step.upper_bound, v_step.note;
        else
            call partwarden.drain_one(v_parent, p_interval, v_step.lower_bound, v_step.upper_bound, v_step.child);
        end if;
    end loop;
    perform partwarden.validate_references(v_parent);
    insert into partwarden.repair (parent_table, partitions, rows_moved)
    select
        pg_catalog.concat(nspname, '.', relname),
        (select pg_catalog.count(*) from pg_catalog.jsonb_array_elements(v_plan) step
         where step operator(pg_catalog.->>) 'child' is not null),
        (select pg_catalog.sum((step operator(pg_catalog.->>) 'rows')::bigint) from pg_catalog.jsonb_array_elements(v_plan) step
         where step operator(pg_catalog.->>) 'child' is not null)
    from pg_catalog.pg_class
    join pg_catalog.pg_namespace on pg_namespace.oid operator(pg_catalog.=) relnamespace
    where pg_class.oid operator(pg_catalog.=) v_parent
      and v_plan is not null
      and pg_catalog.jsonb_path_exists(v_plan, '$[*] ? (@.child != null && @.rows > 0)');
end
$$;
