-- check: job-missing
-- severity: critical, warning where pg_partman keeps no time of maintenance (before 5.1)
-- needs: pg_partman, pg_cron, all_jobs
-- uses: setting, part_config, cron_job, maintenance_record, partman, agent_job
-- why: pg_partman has partition sets in this database, and no job of pg_cron nor anything else maintains them
select
    case when sets.keep_times then 'critical' else 'warning' end                   as severity,
    current_database()::text                                                       as object,
    format('nothing maintains the %s partition sets of database %s', sets.number, current_database()) as summary,
    jsonb_build_object(
        'cause', case when sets.keep_times
                      then 'No job of pg_cron runs maintenance in this database, and no set has been maintained lately.'
                      else 'No job of pg_cron runs maintenance in this database; whether anything else does, this '
                           'pg_partman does not tell.' end,
        'sets', sets.number,
        'last_maintained', sets.last_run)                                          as detail,
    format('select cron.schedule_in_database(%L, %L, %L, %L);',
        'maintenance of ' || current_database(), '0 * * * *', partman.maintain, current_database()) as remedy,
    sets.last_run                                                                  as since
from (
    select
        count(*) as number,
        bool_or(part_config.config ? 'maintenance_last_run') as keep_times,
        greatest(max((part_config.config ->> 'maintenance_last_run')::timestamptz),
                 (select max(maintenance_record.finished_at) from maintenance_record)) as last_run
    from part_config
    where part_config.config ->> 'automatic_maintenance' = 'on'
) sets
cross join setting
cross join partman
where sets.number > 0
  and coalesce(sets.last_run, '-infinity') < now() - setting.maintenance_stale_after
  and not exists (select from cron_job where cron_job.maintains and cron_job.database = current_database())
  -- the agent keeps the schedule; what it misses is told of by the sets
  and not exists (select from agent_job where agent_job.kind = 'maintain')
  -- pg_partman's own background worker
  and not exists (select from pg_settings
                  where name = 'pg_partman_bgw.dbname'
                    and current_database() = any (regexp_split_to_array(setting, '\s*,\s*')))
