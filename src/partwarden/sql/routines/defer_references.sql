create function partwarden.defer_references(p_parent regclass)
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Has foreign keys that reference the set checked later in this transaction: while rows are on their way from the default
-- partition to another, they are in neither. Returns what check_references() needs. What ON DELETE would do at once
-- (cascade, set null, restrict) can't be put off, but kept from happening by a role that may; see refuse_drain().
declare
    v_key   record;
    v_known jsonb := '[]';
begin
    if exists (
        select from partwarden.references_to(p_parent) as listed (key)
        join pg_constraint on pg_constraint.oid = key
        where confdeltype <> 'a'
    ) then
        perform set_config('session_replication_role', 'replica', true);
        return v_known;
    end if;
    for v_key in
        select
            conrelid::regclass::text as on_table,
            conname,
            nspname as schema,
            condeferrable,
            condeferred
        from partwarden.references_to(p_parent) as listed (key)
        join pg_constraint on pg_constraint.oid = key
        join pg_namespace on pg_namespace.oid = connamespace
    loop
        if not v_key.condeferrable then
            execute format('alter table %s alter constraint %I deferrable initially immediate',
                v_key.on_table, v_key.conname);
        end if;
        execute format('set constraints %I.%I deferred', v_key.schema, v_key.conname);
        v_known := v_known || jsonb_build_array(to_jsonb(v_key));
    end loop;
    return v_known;
end
$$;
