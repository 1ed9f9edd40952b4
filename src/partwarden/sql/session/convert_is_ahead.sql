create function partwarden.convert_is_ahead(p_facts jsonb)
returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- Whether the first partition that is to be made does not begin yet.
select p_facts ->> 'kind' = 'id' or partwarden.convert_moment(p_facts, p_facts ->> 'upper_bound') > clock_timestamp()
$$;
