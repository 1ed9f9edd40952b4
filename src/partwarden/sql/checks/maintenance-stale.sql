-- check: maintenance-stale
-- severity: critical
-- needs: pg_partman
-- uses: setting, part_config, managed_parent, partition_set, headroom, maintenance_record, cron_job, job_run, partman
-- why: the set has not been maintained, whatever the status of the job says: its newest maintenance failed,
--      pg_partman skipped it with no more than a warning, or nothing has come round to it for too long
select
    'critical'                                                                     as severity,
    stale.name                                                                     as object,
    case
        when stale.failed_phase = 'retention' then format('retention of %s fails', stale.name)
        when stale.failed_phase = 'create' then format('maintenance of %s fails', stale.name)
        when stale.was_skipped then format('maintenance skips %s', stale.name)
        else format('%s was last maintained at %s', stale.name,
            to_char(stale.last_good at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'))
    end                                                                            as summary,
    jsonb_strip_nulls(jsonb_build_object(
        'cause', coalesce(
            stale.message,
            case when stale.was_skipped
                 then 'Maintenance has come by since and made nothing for this set: pg_partman 5.5 turns a set''s error '
                      'into a warning that only the server''s log has.' end,
            'No maintenance has finished for this set.'),
        'sqlstate', stale.sqlstate,
        'hint', stale.hint,
        'maintain_call', stale.maintenance_id,
        'last_good', stale.last_good))                                             as detail,
    stale.maintain                                                                 as remedy,
    coalesce(stale.failing_since, case when stale.was_skipped then stale.short_since end, stale.last_good) as since
from (
    select
        coalesce(partition_set.name, managed_parent.config ->> 'parent_table') as name,
        failed.phase as failed_phase,
        failed.message,
        failed.sqlstate,
        failed.hint,
        failed.maintenance_id,
        failed.failing_since,
        partman.maintain,
        short.since as short_since,
        -- The newest of what pg_partman and partwarden remember; both forget failures in the end.
        greatest(partition_set.last_run, good.finished_at) as last_good,
        -- It has too few partitions ahead since that moment, and after that moment only other sets were maintained.
        coalesce(partition_set.knows_last_run
            and partition_set.infinite
            and not partition_set.is_full
            and coalesce(partition_set.last_run, '-infinity') < short.since
            and short.since + interval '5 minutes' < newest.last_run
            and coalesce(good.finished_at, '-infinity') < short.since, false) as was_skipped,
        setting.maintenance_stale_after
    from managed_parent
    left join partition_set on partition_set.parent = managed_parent.parent
    left join headroom on headroom.parent = managed_parent.parent
    cross join setting
    cross join partman
    cross join lateral (
        select case when headroom.edge_at < coalesce(headroom.limit_at, 'infinity')
                    then headroom.edge_at - partition_set.premake * partition_set.step end as since
    ) short
    -- When maintenance last came by: another set's time, or the newest good run of the job, where it can be seen.
    cross join (
        select greatest(
            (select max((part_config.config ->> 'maintenance_last_run')::timestamptz) from part_config),
            (select max(job_run.start_time) from job_run join cron_job on cron_job.jobid = job_run.jobid
             where job_run.status = 'succeeded' and cron_job.database = current_database()
               and cron_job.command ~* '\mrun_maintenance(_proc)?\s*\(\s*\)')) as last_run
    ) newest
    left join lateral (
        select record.*
        from maintenance_record record
        where record.parent_table = managed_parent.config ->> 'parent_table' and record.outcome = 'failed'
        order by record.phase
        limit 1
    ) failed on true
    left join maintenance_record good
        on good.parent_table = managed_parent.config ->> 'parent_table'
        and good.phase = 'create' and good.outcome = 'succeeded'
    where managed_parent.config ->> 'automatic_maintenance' = 'on'
      and not (managed_parent.config ->> 'undo_in_progress')::boolean
) stale
where stale.failed_phase is not null
   or stale.was_skipped
   or stale.last_good < now() - stale.maintenance_stale_after
