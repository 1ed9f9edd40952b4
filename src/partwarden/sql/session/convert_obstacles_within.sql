create function partwarden.convert_obstacles_within(p_facts jsonb)
returns table (problem text, remedy text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- Of why the table can't be converted: what it has that a partition, or a partition set, can't have.
declare
    v_table  regclass := (p_facts ->> 'table')::oid::regclass;
    v_name   text := p_facts ->> 'name';
    v_owner  name := p_facts ->> 'owner';
begin
    return query
    select listed.problem, listed.remedy
    from (
        select format('constraint %I is not validated, and a partition''s has to be', conname) as problem,
            format('alter table %s validate constraint %I;', v_name, conname) as remedy
        from pg_constraint
        where conrelid = v_table and not convalidated and conname <> 'partwarden_convert'
          and (contype <> 'f' or confrelid <> v_table)
        union all
        select format('constraint %I is not inherited by partitions', conname),
            format('alter table %s alter constraint %I inherit;', v_name, conname)
        from pg_constraint where conrelid = v_table and contype = 'n' and connoinherit
        union all
        select format('constraint %I is not enforced', conname), format('alter table %s drop constraint %I;', v_name, conname)
        from pg_constraint where conrelid = v_table and to_jsonb(pg_constraint) ->> 'conenforced' = 'false'
        union all
        select format('key %I is one without overlaps of a period', conname), 'keep it as an ordinary table'
        from pg_constraint where conrelid = v_table and to_jsonb(pg_constraint) ->> 'conperiod' = 'true'
        union all
        select format('%I is null in some rows, and the primary key of a partition set has to have that column',
            p_facts ->> 'control'),
            format('update %s set %2$I = … where %2$I is null;', v_name, p_facts ->> 'control')
        where (p_facts ->> 'has_nulls')::boolean
          and exists (select from pg_constraint where conrelid = v_table and contype = 'p')
        union all
        select format('its row trigger %I has transition tables, which a partition''s can''t have', tgname),
            format('make it a statement trigger, or: drop trigger %I on %s;', tgname, v_name)
        from pg_trigger
        where tgrelid = v_table and tgtype & 1 = 1 and (tgoldtable is not null or tgnewtable is not null)
        union all
        select format('role %I may not reference %s', v_owner, confrelid::regclass),
            format('grant references on %s to %I;', confrelid::regclass, v_owner)
        from pg_constraint
        where conrelid = v_table and contype = 'f' and confrelid <> v_table
          and not has_any_column_privilege(v_owner, confrelid, 'references')
        union all
        select format('%s uses the sequence of its identity column', pg_describe_object(other.classid, other.objid, other.objsubid)),
            'give it a sequence of its own'
        from pg_depend owned
        join pg_class sequence on sequence.oid = owned.objid and sequence.relkind = 'S'
        join pg_depend other on other.refclassid = 'pg_class'::regclass and other.refobjid = sequence.oid
        where owned.classid = 'pg_class'::regclass and owned.refclassid = 'pg_class'::regclass and owned.refobjid = v_table
          and owned.deptype = 'i' and other.deptype = 'n'
    ) listed;
end
$$;
