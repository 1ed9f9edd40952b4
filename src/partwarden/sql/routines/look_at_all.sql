create function partwarden.look_at_all()
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
set jit = off
-- As for the checks: the planner takes every common table expression for one row.
set enable_nestloop = off
as $$
-- What look_at_bounds() says of each set, by its name: looking at a thousand at once takes a fraction of the time. Where
-- one of them spoils it, nothing; each is then looked at by itself.
begin
    perform partwarden.use_lock_wait();
    return coalesce((
        {{with partition_set, partition_bound, headroom, locked; part_config: select config from partwarden.part_config() as listed (config) where config ->> 'automatic_maintenance' = 'on'}}
        select jsonb_object_agg(seen.parent_table, seen.facts) from ({{source set_facts}}) seen
    ), '{}');
exception when others then
    return '{}';
end
$$;
