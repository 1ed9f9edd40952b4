create function partwarden.open_guard(p_facts jsonb)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Lets this transaction rely on the guard of a default partition; false if it has none. The lock that excludes everybody is
-- held already, so whoever has written a row has committed or gone.
-- Raises error PWGRD when one came where partitions are to be made since the guard was placed.
declare
    v_default regclass := (p_facts ->> 'default_partition')::oid;
    v_seen    text;
    v_is_seen boolean;
begin
    if not exists (select from pg_constraint where conrelid = v_default and conname = 'partwarden_guard') then
        return false;
    end if;
    select to_regclass(seen)::text into v_seen from partwarden.guard_names((p_facts ->> 'parent')::oid);
    if v_seen is not null and exists (select from pg_trigger where tgrelid = v_default and tgname = 'partwarden_guard' and tgenabled = 'A') then
        execute format('select is_called from %s', v_seen) into v_is_seen;
    end if;
    if v_is_seen is distinct from false then
        raise exception 'rows came into %, where partitions were about to be made', v_default using errcode = 'PWGRD';
    end if;
    perform set_config('partwarden.guard', 'on', true);
    return true;
end
$$;
