create function partwarden.checks_to_do(p_at timestamptz)
returns text[]
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- The checks that a look at this moment does: all of them, unless those of partition sets have taken over a second the
-- last time. Then they rest, so that they take no more than a twentieth of one processor.
select array_agg(listed.check_id)
from partwarden.checks() listed
cross join partwarden.monitor_state
where not listed.needs && array['sets', 'pg_partman']
   or monitor_state.sets_took is null
   or monitor_state.sets_took < interval '1 second'
   or monitor_state.sets_looked_at + 20 * monitor_state.sets_took <= p_at
$$;
