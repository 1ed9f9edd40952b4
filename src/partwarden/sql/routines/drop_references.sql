create function partwarden.drop_references(p_parent regclass)
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Keeps foreign keys that reference the set from acting while rows are on their way from the default partition to another:
-- PostgreSQL looks for a row that went in the partition that it left, even when the check is deferred. A role that may
-- silence triggers does that; else the keys are dropped, for this transaction only. Returns what restore_references()
-- needs.
declare
    v_key   record;
    v_known jsonb := '[]';
begin
    if not exists (select from partwarden.references_to(p_parent)) then
        return v_known;
    end if;
    if partwarden.may_silence_triggers() then
        perform set_config('session_replication_role', 'replica', true);
        return v_known;
    end if;
    for v_key in
        select
            conrelid::regclass::text as on_table,
            conname,
            pg_get_constraintdef(pg_constraint.oid) as definition,
            obj_description(pg_constraint.oid, 'pg_constraint') as comment
        from partwarden.references_to(p_parent) as listed (key)
        join pg_constraint on pg_constraint.oid = key
    loop
        execute format('alter table %s drop constraint %I', v_key.on_table, v_key.conname);
        v_known := v_known || jsonb_build_array(to_jsonb(v_key));
    end loop;
    return v_known;
end
$$;
