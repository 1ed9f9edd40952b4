create function partwarden.guarded_steps(p_facts jsonb)
returns jsonb
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- The partitions that are due, each with what has to be known to make it.
select coalesce(jsonb_agg(p_facts || to_jsonb(candidate) order by candidate.distance), '[]')
from partwarden.drain_candidates((p_facts ->> 'parent')::oid::regclass, null,
    coalesce(p_facts ->> 'last_upper_at', p_facts ->> 'last_upper_id'), null, (p_facts ->> 'due')::integer) candidate
where candidate.side = 1
$$;
