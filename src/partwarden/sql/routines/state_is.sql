create function partwarden.state_is(p_outcome jsonb, p_state text)
returns boolean
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
-- Whether an attempt came to this.
begin
    return coalesce(p_outcome ->> 'state' = p_state, false);
end
$$;
