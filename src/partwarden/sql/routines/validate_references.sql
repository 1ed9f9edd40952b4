create function partwarden.validate_references(p_parent regclass)
returns integer
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Validates the foreign keys to the set that restore_references() has left for later, also those of a run that was
-- interrupted; returns how many. It blocks nobody who reads or writes.
declare
    v_key    record;
    v_number integer := 0;
begin
    for v_key in
        select conrelid::regclass as on_table, conname, obj_description(pg_constraint.oid, 'pg_constraint') as comment
        from partwarden.references_to(p_parent) as listed (key)
        join pg_constraint on pg_constraint.oid = key
        where not convalidated
          and obj_description(pg_constraint.oid, 'pg_constraint') like 'partwarden validates it%'
    loop
        execute format('alter table %s validate constraint %I', v_key.on_table, v_key.conname);
        execute format('comment on constraint %I on %s is %L', v_key.conname, v_key.on_table,
            nullif(substr(v_key.comment, length(E'partwarden validates it\n') + 1), ''));
        v_number := v_number + 1;
    end loop;
    return v_number;
end
$$;
