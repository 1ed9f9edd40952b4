-- check: async-interrupted
-- severity: critical
-- needs: pg_partman, all_activity
-- uses: managed_parent, partman
-- why: partition_data_async() was stopped half-way: rows lie in its storage table, where no query on the set sees them,
--      and maintenance skips the set with a warning
select
    'critical'                                                                     as severity,
    halted.parent::regclass::text                                                  as object,
    format('moving rows of %s was interrupted%s', halted.parent::regclass,
        case when halted.storage is null then '' else ': rows may lie unseen in ' || halted.storage::regclass end) as summary,
    jsonb_strip_nulls(jsonb_build_object(
        'cause', 'partition_data_async() is not running and has not finished.',
        'working_on', halted.config ->> 'async_partitioning_in_progress',
        'storage_table', halted.storage::regclass::text,
        'bytes', pg_relation_size(halted.storage)))                                as detail,
    concat_ws(E'\n',
        case when halted.storage is not null
             then format('begin; with moved as (delete from %1$s returning *) insert into %2$s select * from moved; '
                         'drop table %1$s; commit;', halted.storage::regclass, halted.parent::regclass) end,
        format('update %I.part_config set async_partitioning_in_progress = null where parent_table = %L;',
               halted.partman, halted.config ->> 'parent_table'),
        halted.maintain)                                                           as remedy,
    null::timestamptz                                                              as since
from (
    select
        managed_parent.*,
        partman.schema as partman,
        partman.maintain,
        storage.oid as storage
    from managed_parent
    cross join partman
    join pg_class parent on parent.oid = managed_parent.parent
    left join pg_class storage
        on storage.relnamespace = parent.relnamespace
        and storage.relname = ('partman_tmp_storage_' || parent.relname)::name
) halted
where (halted.config ->> 'async_partitioning_in_progress' is not null or pg_relation_size(halted.storage) > 0)
  and not exists (
      select from pg_stat_activity
      where datname = current_database() and state <> 'idle' and query ~* '\mpartition_data_async\M'
        and pid <> pg_backend_pid())
