create function partwarden.whole_open(p_parent regclass)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Lets this transaction rely on what whole_validate() has proved, if it has. The lock that excludes everybody is held, so
-- whoever wrote a row has committed or gone; raises PW001 when one came that belongs elsewhere.
declare
    v_seen text := format('%I.%I', (partwarden.swap_names(p_parent)).schema,
        (partwarden.swap_names(p_parent)).prefix || '_whole_seen');
    v_came boolean;
begin
    if to_regclass(v_seen) is null then
        return;
    end if;
    execute format('select is_called from %s', v_seen) into v_came;
    if v_came then
        raise exception 'rows came into the default partition of % that belong into another partition', p_parent
            using errcode = 'PW001', hint = 'Drain again.';
    end if;
    perform set_config('partwarden.guard', 'on', true);
end
$$;
