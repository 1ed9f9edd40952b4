create function partwarden.end_maintenance(p_call bigint, p_sets text[])
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
-- Notes that a call of maintain() has come to its end, and forgets calls that are older than the setting says.
update partwarden.maintenance
set finished_at = clock_timestamp(),
    sets = cardinality(p_sets),
    sets_failed = failed.sets,
    outcome = case when failed.sets = 0 then 'succeeded' else 'failed' end
from (
    select count(distinct parent_table)::integer as sets
    from partwarden.maintenance_run
    where maintenance_id = p_call and outcome = 'failed'
) failed
where id = p_call;

-- The newest run of each set stays, however old, because the checks read it.
delete from partwarden.maintenance
using partwarden.setting
where maintenance.started_at < now() - setting.keep_history
  and not exists (
      select from partwarden.maintenance_run run
      where run.maintenance_id = maintenance.id
        and run.id = (
            select max(newest.id) from partwarden.maintenance_run newest
            where newest.parent_table = run.parent_table and newest.phase = run.phase
        )
  );
$$;
