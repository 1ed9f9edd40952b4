create function partwarden.facts_since(p_facts jsonb, p_since timestamptz)
returns jsonb
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- What is known of a set, and since when it is being maintained.
select p_facts || jsonb_build_object('since', p_since)
$$;
