create function partwarden.drain_outcome(p_facts jsonb)
returns jsonb
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- What is said of a set that is being drained: pg_partman would leave a hole where the drain's partitions have to go.
select case when p_facts ->> 'drain' = 'interrupted' then jsonb_build_object(
    'state', 'failed',
    'sqlstate', '55000',
    'message', format('the default partition of %s is being drained, and that was interrupted', p_facts ->> 'name'),
    'hint', format('partwarden drain %s', p_facts ->> 'name'))
else jsonb_build_object(
    'state', 'left out',
    'message', format('the default partition of %s is being drained (%s)', p_facts ->> 'name', p_facts ->> 'drain'))
end
$$;
