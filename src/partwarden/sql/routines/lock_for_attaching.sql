create function partwarden.lock_for_attaching(p_facts jsonb, p_give_up_at timestamptz)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Takes the locks that attaching a partition needs, the one that excludes everybody last, so that it is held for no longer
-- than it takes: parent and default partition against DDL; the tables that foreign keys lead to and come from against
-- writing, where this role may; and the default partition altogether.
declare
    v_default regclass := (p_facts ->> 'default_partition')::oid;
    v_parent  regclass := (p_facts ->> 'parent')::oid;
    v_table   regclass;
begin
    perform partwarden.keep_vacuum_out(array_remove(array[v_default, v_parent], null), p_give_up_at);
    -- By index: there may be a hundred thousand constraints. A key that leads to a table depends on its columns.
    for v_table in
        select confrelid as related
        from pg_constraint
        where conrelid = v_parent and contype = 'f' and confrelid <> conrelid
        union
        select conrelid
        from pg_depend
        join pg_constraint on pg_constraint.oid = pg_depend.objid
        where pg_depend.refclassid = 'pg_class'::regclass and pg_depend.refobjid = v_parent
          and pg_depend.classid = 'pg_constraint'::regclass
          and contype = 'f' and confrelid = v_parent and conrelid <> confrelid
        order by related
    loop
        if has_table_privilege(v_table, 'update, delete, truncate') then
            execute format('lock table only %s in share row exclusive mode', v_table);
        end if;
    end loop;
    -- Nobody waits for our commit to reach the disk; the next one takes it along.
    perform set_config('synchronous_commit', 'off', true);
    if v_default is not null then
        execute format('lock table only %s in access exclusive mode', v_default);
    end if;
end
$$;
