-- Partition sets by plain DDL, many and fast: each a copy of one that pg_partman itself made. Its partitions get the
-- same suffixes and bounds, its row in part_config is the same but for the names, and it has the same rows.
create procedure app.copy_set(p_from text, p_prefix text, p_first integer, p_last integer)
language plpgsql
as $$
declare
    v_number integer;
    v_name   text;
    v_child  record;
begin
    for v_number in p_first..p_last loop
        v_name := p_prefix || to_char(v_number, 'FM00000');
        execute format('create table app.%I (like app.%I including all) partition by range (%I)', v_name, p_from,
            (select control from partman.part_config where parent_table = 'app.' || p_from));
        for v_child in
            select replace(child.relname, p_from, v_name) as name, pg_get_expr(child.relpartbound, child.oid) as bound
            from pg_inherits
            join pg_class child on child.oid = inhrelid
            where inhparent = format('app.%I', p_from)::regclass
            order by child.relname
        loop
            execute format('create table app.%I partition of app.%I %s', v_child.name, v_name, v_child.bound);
        end loop;
        execute format('insert into app.%I select * from app.%I', v_name, p_from);
        insert into partman.part_config
        select copy.*
        from partman.part_config config
        cross join jsonb_populate_record(null::partman.part_config, to_jsonb(config)
            || jsonb_build_object('parent_table', 'app.' || v_name, 'template_table', null)) copy
        where config.parent_table = 'app.' || p_from;
        commit;
    end loop;
end
$$;
