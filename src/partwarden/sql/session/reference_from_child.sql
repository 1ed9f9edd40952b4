create function partwarden.reference_from_child(p_parent regclass, p_child regclass)
returns setof text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Gives a table that is to become a partition the parent's foreign keys, not yet validated: that takes a lock on the
-- referenced table for a moment only. Returns the statements that validate them, for transactions of their own, so
-- that attaching it later need not read it.
declare
    v_key record;
begin
    for v_key in
        select conname, pg_get_constraintdef(oid) as definition, oid
        from pg_constraint
        where conrelid = p_parent and contype = 'f'
    loop
        if not exists (select from pg_constraint where conrelid = p_child and conname = v_key.conname) then
            execute format('alter table %s add constraint %I %s%s', p_child, v_key.conname, v_key.definition,
                case when v_key.definition ~ ' NOT VALID$' then '' else ' not valid' end);
        end if;
        return next format('alter table %s validate constraint %I', p_child, v_key.conname);
    end loop;
end
$$;
