-- check: maintenance-stale
-- severity: critical
-- needs: pg_partman
-- uses: setting, part_config, partition_set, maintenance_record
-- why: the set has not been maintained, whatever the status of the job says: its newest maintenance failed,
--      pg_partman skipped it with no more than a warning, or nothing has come round to it for too long
select
    'critical'                                                                     as severity,
    stale.name                                                                     as object,
    case
        when stale.failed_phase = 'retention' then format('retention of %s fails', stale.name)
        when stale.failed_phase = 'create' then format('maintenance of %s fails', stale.name)
        else format('%s was last maintained at %s', stale.name,
            to_char(stale.last_good at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'))
    end                                                                            as summary,
    jsonb_strip_nulls(jsonb_build_object(
        'cause', coalesce(stale.message, 'No maintenance has finished for this set.'),
        'sqlstate', stale.sqlstate,
        'hint', stale.hint,
        'maintain_call', stale.maintenance_id,
        'last_good', stale.last_good))                                             as detail,
    'call partwarden.maintain();'                      as remedy,
    coalesce(stale.failing_since, stale.last_good)                                 as since
from (
    select
        -- A configured table that does not exist (or is no range-partitioned one) still has failing maintenance.
        coalesce(partition_set.name, part_config.config ->> 'parent_table') as name,
        failed.phase as failed_phase,
        failed.message,
        failed.sqlstate,
        failed.hint,
        failed.maintenance_id,
        failed.failing_since,
        -- The newest of what pg_partman and partwarden remember; both forget failures in the end.
        greatest(partition_set.last_run, good.finished_at) as last_good,
        setting.maintenance_stale_after
    from part_config
    left join partition_set on partition_set.parent_table = part_config.config ->> 'parent_table'
    cross join setting
    left join lateral (
        select record.*
        from maintenance_record record
        where record.parent_table = part_config.config ->> 'parent_table' and record.outcome = 'failed'
        order by record.phase
        limit 1
    ) failed on true
    left join maintenance_record good
        on good.parent_table = part_config.config ->> 'parent_table'
        and good.phase = 'create' and good.outcome = 'succeeded'
    where part_config.config ->> 'automatic_maintenance' = 'on'
      and not (part_config.config ->> 'undo_in_progress')::boolean
) stale
where stale.failed_phase is not null
   or stale.last_good < now() - stale.maintenance_stale_after
