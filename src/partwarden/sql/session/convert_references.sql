create function partwarden.convert_references(p_from regclass, p_name text)
returns table (stage text, statement text, lock text, object text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- What has the foreign keys of other tables that reference a table reference the one that bears its name afterwards (p_name).
-- Rows that are there are looked at later ('later'), without a lock that anybody notices, where PostgreSQL can; the comment
-- tells validate_references() so. One that an interrupted run has left for later is to be looked at as well.
select listed.stage, listed.statement, listed.lock, listed.object
from (
    select
        key.oid, conrelid::regclass::text as on_table, key.conname as name, told.comment, told.is_valid,
        regexp_replace(pg_get_constraintdef(key.oid), ' NOT VALID$', '') as definition,
        told.is_valid and partwarden.is_validated_later(conrelid) as is_later
    from pg_constraint key
    cross join lateral (
        select
            convalidated or coalesce(found.comment like 'partwarden validates it%', false) as is_valid,
            case when found.comment like 'partwarden validates it%'
                 then nullif(substr(found.comment, length(E'partwarden validates it\n') + 1), '')
                 else found.comment end as comment
        from obj_description(key.oid, 'pg_constraint') as found (comment)
    ) told
    where contype = 'f' and confrelid = p_from and conrelid <> p_from and conparentid = 0
      and conrelid not in (select inhrelid from pg_inherits where inhparent = p_from)
) key
cross join lateral (
    values
        ('take', 1, format('alter table %s drop constraint %I', on_table, name), 'access exclusive', on_table),
        ('give', 1, format('alter table %s add constraint %I %s%s', on_table, name, definition,
            case when is_later or not is_valid then ' not valid' else '' end), 'share row exclusive', on_table || ', ' || p_name),
        ('give', 2, format('comment on constraint %I on %s is %L', name, on_table,
            case when is_later then concat_ws(E'\n', 'partwarden validates it', comment) else comment end),
            'share update exclusive', on_table),
        ('later', 1, format('alter table %s validate constraint %I', on_table, name), 'share update exclusive', on_table),
        ('later', 2, format('comment on constraint %I on %s is %L', name, on_table, comment), 'share update exclusive', on_table)
) listed (stage, place, statement, lock, object)
where (listed.stage <> 'later' or is_later)
  and (listed.stage <> 'give' or listed.place = 1 or is_later or comment is not null)
order by listed.stage, key.on_table, key.name, listed.place
$$;
