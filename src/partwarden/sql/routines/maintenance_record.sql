create function partwarden.maintenance_record()
returns table (parent_table text, phase text, id bigint, maintenance_id bigint, outcome text, finished_at timestamptz,
               sqlstate text, message text, hint text, failing_since timestamptz)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- Of each set its newest run in each phase, and how long that phase has been failing.
select distinct on (run.parent_table, run.phase)
    run.parent_table,
    run.phase,
    run.id,
    run.maintenance_id,
    run.outcome,
    run.finished_at,
    run.sqlstate,
    run.message,
    run.hint,
    (
        select min(failed.started_at)
        from partwarden.maintenance_run failed
        where failed.parent_table = run.parent_table
          and failed.phase = run.phase
          and run.outcome = 'failed'
          and failed.id > coalesce(
              (
                  select max(good.id)
                  from partwarden.maintenance_run good
                  where good.parent_table = run.parent_table
                    and good.phase = run.phase
                    and good.outcome = 'succeeded'
              ), 0)
    )
from partwarden.maintenance_run run
order by run.parent_table, run.phase, run.id desc
$$;
