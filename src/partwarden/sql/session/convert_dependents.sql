create function partwarden.convert_dependents(p_table regclass)
returns table (kind text, class oid, object oid, relation regclass, owner oid, described text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- What refers to the table by its identity, so that it would go on referring to it when it has become a partition and another
-- one bears its name: view, rule, policy, function, and what can't be told to refer to another: matview, type, other. Not
-- its own indexes, constraints, triggers, partitions and so on, nor foreign keys.
select distinct
    case
        when refclassid = 'pg_type'::regclass then 'type'
        when classid = 'pg_rewrite'::regclass and rule_class.relkind = 'm' then 'matview'
        when classid = 'pg_rewrite'::regclass and rule_class.relkind = 'v' and rulename = '_RETURN' then
            case rule_class.relpersistence when 't' then 'other' else 'view' end
        when classid = 'pg_rewrite'::regclass then 'rule'
        when classid = 'pg_policy'::regclass then 'policy'
        when classid = 'pg_proc'::regclass then 'function'
        else 'other'
    end,
    classid,
    objid,
    coalesce(ev_class, polrelid)::regclass,
    coalesce(rule_class.relowner, policy_class.relowner, proowner),
    pg_describe_object(classid, objid, objsubid)
from pg_depend
left join pg_rewrite on classid = 'pg_rewrite'::regclass and pg_rewrite.oid = objid
left join pg_class rule_class on rule_class.oid = ev_class
left join pg_policy on classid = 'pg_policy'::regclass and pg_policy.oid = objid
left join pg_class policy_class on policy_class.oid = polrelid
left join pg_proc on classid = 'pg_proc'::regclass and pg_proc.oid = objid
left join pg_constraint on classid = 'pg_constraint'::regclass and pg_constraint.oid = objid
left join pg_class part_class
    on classid = 'pg_class'::regclass and part_class.oid = objid
    and (part_class.relkind in ('i', 'I', 'S', 't')
         or part_class.oid in (select inhrelid from pg_inherits where inhparent = p_table))
left join pg_attrdef on classid = 'pg_attrdef'::regclass and pg_attrdef.oid = objid
left join pg_trigger on classid = 'pg_trigger'::regclass and pg_trigger.oid = objid
left join pg_type on classid = 'pg_type'::regclass and pg_type.oid = objid
where (refclassid = 'pg_class'::regclass and refobjid = p_table
       or refclassid = 'pg_type'::regclass and refobjid in (
           select unnest(array[pg_type.oid, typarray]) from pg_type where typrelid = p_table))
  and not (classid = 'pg_class'::regclass and objid = p_table)  -- generated columns depend on others
  and coalesce(ev_class, 0) <> p_table
  and coalesce(polrelid, 0) <> p_table
  and coalesce(adrelid, 0) <> p_table
  and coalesce(tgrelid, 0) <> p_table
  and coalesce(conrelid, 0) <> p_table
  and not (contype is not null and contype = 'f')
  and part_class.oid is null
  and coalesce(typrelid, 0) <> p_table
  and coalesce(typelem, 0) not in (select pg_type.oid from pg_type where typrelid = p_table)
  and classid not in ('pg_statistic_ext'::regclass, 'pg_publication_rel'::regclass)
$$;
