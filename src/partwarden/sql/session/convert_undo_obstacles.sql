create function partwarden.convert_undo_obstacles(p_parent regclass)
returns table (problem text, remedy text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- Why a partition set can't be made the table again that it was converted from.
declare
    v_origin regclass := partwarden.convert_origin(p_parent);
    v_filled regclass := partwarden.convert_rows_elsewhere(p_parent, v_origin);
    v_owner  name := (select pg_get_userbyid(relowner) from pg_class where oid = p_parent);
begin
    if v_origin is null then
        return query select 'it has no partition that is older than itself: it was not converted, or has been drained',
            'create a table, copy the rows into it, and rename both';
    elsif v_filled is not null then
        return query select format('%s has rows by now', v_filled),
            format('insert what it has into %s, where its bound allows, and empty it', v_origin);
    end if;
    return query
    select format('%s depends on it', described), 'drop that, and make it again afterwards'
    from partwarden.convert_dependents(p_parent) as dependent
    where kind in ('matview', 'type', 'other')
    union all
    select format('%s depends on it, and role %I does not own that', described, v_owner),
        format('grant %I to %I;', pg_get_userbyid(dependent.owner), v_owner)
    from partwarden.convert_dependents(p_parent) as dependent
    where kind in ('view', 'rule', 'policy', 'function') and not pg_has_role(v_owner, dependent.owner, 'usage');
end
$$;
