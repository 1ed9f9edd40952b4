create function partwarden.convert_fingerprint(p_table regclass)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- Differs when the table, or what refers to it, has been changed.
select md5(string_agg(listed.fact, ' ' order by listed.fact))
from (
    select concat_ws(' ', 'table', relname, relnamespace, relowner, relacl, relrowsecurity, relforcerowsecurity, relreplident,
        reloptions) as fact
    from pg_class where oid = p_table
    union all
    select concat_ws(' ', 'column', attnum, attname, atttypid, atttypmod, attnotnull, attidentity, attgenerated, attacl,
        attisdropped)
    from pg_attribute where attrelid = p_table and attnum > 0
    union all
    select concat_ws(' ', 'default', oid, xmin) from pg_attrdef where adrelid = p_table
    union all
    select concat_ws(' ', 'index', indexrelid, indisvalid, indisreplident, relname)
    from pg_index join pg_class on pg_class.oid = indexrelid where indrelid = p_table
    union all
    select concat_ws(' ', 'constraint', oid, xmin) from pg_constraint where p_table in (conrelid, confrelid)
    union all
    select concat_ws(' ', 'trigger', oid, xmin) from pg_trigger where tgrelid = p_table and not tgisinternal
    union all
    select concat_ws(' ', 'policy', oid, xmin) from pg_policy where polrelid = p_table
    union all
    select concat_ws(' ', 'rule', oid, xmin) from pg_rewrite where ev_class = p_table
    union all
    select concat_ws(' ', 'dependent', kind, object, coalesce(rewrite.xmin, proc.xmin, policy.xmin)::text)
    from partwarden.convert_dependents(p_table)
    left join pg_rewrite rewrite on rewrite.oid = object
    left join pg_proc proc on proc.oid = object
    left join pg_policy policy on policy.oid = object
    union all
    select concat_ws(' ', 'publication', prpubid, xmin) from pg_publication_rel where prrelid = p_table
    union all
    select concat_ws(' ', 'sequence', objid, relname, relacl)
    from pg_depend join pg_class on pg_class.oid = objid and relkind = 'S'
    where classid = 'pg_class'::regclass and refclassid = 'pg_class'::regclass and refobjid = p_table
    union all
    select concat_ws(' ', 'child', inhrelid) from pg_inherits where p_table in (inhparent, inhrelid)
) listed
$$;
