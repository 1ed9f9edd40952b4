-- check: undo-in-progress
-- severity: warning
-- needs: pg_partman
-- uses: managed_parent, partman
-- why: somebody began to undo the partitioning of the set and did not finish; until then it is not maintained
select
    'warning'                                                                      as severity,
    managed_parent.parent::regclass::text                                          as object,
    format('undoing the partitioning of %s was begun and not finished', managed_parent.parent::regclass) as summary,
    jsonb_build_object('cause', 'undo_in_progress is set, and maintenance passes the set by.') as detail,
    format('update %I.part_config set undo_in_progress = false where parent_table = %L;  -- or go on: call %1$I.undo_partition_proc(…)',
        partman.schema, managed_parent.config ->> 'parent_table')                  as remedy,
    null::timestamptz                                                              as since
from managed_parent
cross join partman
where (managed_parent.config ->> 'undo_in_progress')::boolean
