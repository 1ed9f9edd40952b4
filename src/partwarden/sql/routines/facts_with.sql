create function partwarden.facts_with(p_facts jsonb, p_name text, p_value jsonb)
returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- What is known of a set, which may be nothing, and one thing more.
begin
    return coalesce(nullif(p_facts, 'null'), '{}') || jsonb_build_object(p_name, p_value);
end
$$;
