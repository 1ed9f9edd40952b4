create function partwarden.convert_has_nulls(p_facts jsonb)
returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
set row_security = off
as $$
-- Whether the control column is null in some row.
declare
    v_has_nulls boolean := false;
begin
    if (p_facts ->> 'is_nullable')::boolean then
        execute format('select exists (select from only %s where %I is null)', p_facts ->> 'name', p_facts ->> 'control')
        into v_has_nulls;
    end if;
    return v_has_nulls;
end
$$;
