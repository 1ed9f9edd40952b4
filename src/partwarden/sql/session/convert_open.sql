create function partwarden.convert_open(p_table regclass, p_fingerprint text default null)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Lets this transaction rely on what has been proved of the table's rows. The lock that excludes everybody is held, so whoever
-- wrote a row has committed or gone. Raises PW001 when one came that lies elsewhere, or when what tells of it is not as it
-- was made; PW002 when the table, or what refers to it, is not what the statements were made for, where that is asked.
declare
    v_seen regclass := to_regclass((
        select format('%I.%I', nspname, 'partwarden_convert_' || p_table::oid || '_seen')
        from pg_class join pg_namespace on pg_namespace.oid = relnamespace where pg_class.oid = p_table));
    v_came boolean := true;
begin
    if v_seen is not null
        and exists (
            select from pg_constraint
            where conrelid = p_table and conname = 'partwarden_convert' and contype = 'c' and convalidated)
        and exists (
            select from pg_trigger where tgrelid = p_table and tgname = 'partwarden_convert' and tgenabled = 'A')
    then
        execute format('select is_called from %s', v_seen) into v_came;
    end if;
    if v_came then
        raise exception 'rows came into % that lie beyond the bound', p_table using errcode = 'PW001', hint = 'Convert again.';
    end if;
    if p_fingerprint is not null and partwarden.convert_fingerprint(p_table) <> p_fingerprint then
        raise exception '% has been changed meanwhile, or what refers to it', p_table
            using errcode = 'PW002', hint = 'Convert again.';
    end if;
    perform set_config('partwarden.guard', 'on', true);
end
$$;
