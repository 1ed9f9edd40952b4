-- check: detach-pending
-- severity: critical
-- needs: sets, all_activity
-- uses: partition_set, partition_child
-- why: DETACH CONCURRENTLY was interrupted: queries no longer see the partition's rows through the set, and
--      detaching it again, as retention would, fails until that is finished
select
    'critical'                                                                     as severity,
    partition_set.name                                                             as object,
    format('detaching %s from %s was begun and not finished', partition_child.child::regclass, partition_set.name) as summary,
    jsonb_build_object(
        'cause', 'ALTER TABLE … DETACH PARTITION … CONCURRENTLY was interrupted; its rows are invisible through the set.',
        'partition', partition_child.child::regclass::text)                        as detail,
    format('alter table %s detach partition %s finalize;', partition_set.name, partition_child.child::regclass) as remedy,
    null::timestamptz                                                              as since
from partition_child
join partition_set on partition_set.parent = partition_child.parent
where partition_child.detach_pending
  -- Nobody is at it.
  and not exists (
      select from pg_stat_activity
      where datname = current_database() and state <> 'idle' and query ~* '\mdetach\M' and pid <> pg_backend_pid())
