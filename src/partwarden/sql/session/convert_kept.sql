create function partwarden.convert_kept(p_table regclass)
returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- What an interrupted run has noted beside its guard; null where there is none, or where a row has come that it did not expect.
declare
    v_seen regclass := to_regclass((
        select format('%I.%I', nspname, 'partwarden_convert_' || p_table::oid || '_seen')
        from pg_class join pg_namespace on pg_namespace.oid = relnamespace where pg_class.oid = p_table));
    v_came boolean;
begin
    if v_seen is null then
        return null;
    end if;
    execute format('select is_called from %s', v_seen) into v_came;
    return (
        select substr(obj_description(oid, 'pg_constraint'), length('partwarden: ') + 1)::jsonb
        from pg_constraint
        where conrelid = p_table and conname = 'partwarden_convert' and not v_came
          and obj_description(oid, 'pg_constraint') like 'partwarden: {%');
end
$$;
