create function partwarden.facts_with(p_facts jsonb, p_name text, p_value jsonb)
returns jsonb
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- What is known of a set, and one thing more.
select p_facts || jsonb_build_object(p_name, p_value)
$$;
