create function partwarden.state_is(p_outcome jsonb, p_state text)
returns boolean
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
-- Whether an attempt came to this.
select coalesce(p_outcome ->> 'state' = p_state, false)
$$;
