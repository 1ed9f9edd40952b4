create function partwarden.end_job(p_kind text, p_error text)
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
-- Notes how a call of the agent's ended.
update partwarden.agent_job set last_finished_at = clock_timestamp(), last_error = left(p_error, 1000) where kind = p_kind
$$;
