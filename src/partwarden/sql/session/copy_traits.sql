create function partwarden.copy_traits(p_from regclass, p_to regclass)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Gives one table what CREATE TABLE LIKE leaves out of another: owner, privileges, comment, statistics targets, options of
-- its TOAST table, and which index identifies its rows to subscribers. copy_indexes() comes first.
declare
    v_grant  record;
    v_column record;
    v_from   pg_class;
    v_toast  text[];
begin
    select * into v_from from pg_class where oid = p_from;
    for v_column in
        select attname, (to_jsonb(pg_attribute) ->> 'attstattarget')::integer as target
        from pg_attribute
        where attrelid = p_from and attnum > 0 and not attisdropped
          and (to_jsonb(pg_attribute) ->> 'attstattarget')::integer >= 0
    loop
        execute format('alter table %s alter column %I set statistics %s', p_to, v_column.attname, v_column.target);
    end loop;
    select array_agg('toast.' || option) into v_toast
    from pg_class, unnest(reloptions) as option where oid = v_from.reltoastrelid;
    if v_toast is not null then
        execute format('alter table %s set (%s)', p_to, array_to_string(v_toast, ', '));
    end if;
    execute format('comment on table %s is %L', p_to, obj_description(p_from, 'pg_class'));
    case v_from.relreplident
        when 'f' then execute format('alter table %s replica identity full', p_to);
        when 'n' then execute format('alter table %s replica identity nothing', p_to);
        when 'i' then
            execute format('alter table %s replica identity using index %s', p_to, (
                select quote_ident(copy.relname)
                from (select indexrelid, indisreplident, row_number() over (order by indexrelid) as number
                      from pg_index where indrelid = p_from and indisvalid) original
                join (select indexrelid, row_number() over (order by indexrelid) as number
                      from pg_index where indrelid = p_to) made on made.number = original.number
                join pg_class copy on copy.oid = made.indexrelid
                where original.indisreplident));
        else null;
    end case;
    if v_from.relacl is not null then
        execute format('revoke all on %s from %I', p_to, current_user);
        for v_grant in
            select
                string_agg(privilege_type, ', ') as privileges, is_grantable,
                case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end as role
            from aclexplode(v_from.relacl)
            group by grantee, is_grantable
        loop
            execute format('grant %s on %s to %s %s', v_grant.privileges, p_to, v_grant.role,
                case when v_grant.is_grantable then 'with grant option' else '' end);
        end loop;
    end if;
    execute format('alter table %s owner to %I', p_to, pg_get_userbyid(v_from.relowner));
end
$$;
