create function partwarden.convert_extreme(p_facts jsonb, p_order text, p_from text, p_to text)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
set row_security = off
as $$
-- The first or the last value of the control column, as text; only of those between p_from and p_to, where they are told. In
-- a way that uses an index, if there is one.
declare
    v_found text;
begin
    execute format('select listed.%1$I::text from only %2$s as listed where %1$I is not null %3$s %4$s order by listed.%1$I %5$s limit 1',
        p_facts ->> 'control', p_facts ->> 'name',
        case when p_from is null then '' else format('and %I >= %L', p_facts ->> 'control', p_from) end,
        case when p_to is null then '' else format('and %I < %L', p_facts ->> 'control', p_to) end,
        p_order)
    into v_found;
    return v_found;
end
$$;
