-- relation: partition_set
-- uses: part_config
-- why: pg_partman's partition sets as the catalog knows them. kind says what the control column counts:
--      time, epoch (a number that means a time), encoded (a text or uuid that holds a time), or id
select
    parent.oid                                                       as parent,
    format('%I.%I', namespace.nspname, parent.relname)               as name,
    part_config.config ->> 'parent_table'                            as parent_table,
    attribute.attname                                                as control,
    attribute.atttypid                                               as control_type,
    case
        when attribute.atttypid in ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype) then 'time'
        when attribute.atttypid in ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype, 'uuid'::regtype)
            then 'encoded'
        when part_config.config ->> 'epoch' <> 'none' then 'epoch'
        else 'id'
    end                                                              as kind,
    case part_config.config ->> 'epoch'
        when 'seconds' then 1
        when 'milliseconds' then 1000
        when 'microseconds' then 1000000
        when 'nanoseconds' then 1000000000
    end                                                              as epoch_unit,
    to_regproc(part_config.config ->> 'time_decoder')                as decoder,
    part_config.config ->> 'partition_interval'                      as partition_interval,
    (part_config.config ->> 'premake')::integer                      as premake,
    (part_config.config ->> 'infinite_time_partitions')::boolean     as infinite,
    (part_config.config ->> 'ignore_default_data')::boolean          as ignores_default,
    (part_config.config ->> 'sub_partition_set_full')::boolean       as is_full,
    part_config.config ->> 'automatic_maintenance' = 'on'
        and not (part_config.config ->> 'undo_in_progress')::boolean as is_maintained,
    part_config.config ->> 'retention'                               as retention,
    part_config.config ? 'maintenance_last_run'                      as knows_last_run,
    (part_config.config ->> 'maintenance_last_run')::timestamptz     as last_run,
    part_config.config ->> 'async_partitioning_in_progress'          as async_in_progress,
    nullif(partitioned.partdefid, 0)::oid                            as default_partition
from part_config
join pg_catalog.pg_namespace namespace
    on namespace.nspname = split_part(part_config.config ->> 'parent_table', '.', 1)::name
join pg_catalog.pg_class parent
    on parent.relnamespace = namespace.oid
    and parent.relname = split_part(part_config.config ->> 'parent_table', '.', 2)::name
join pg_catalog.pg_partitioned_table partitioned
    on partitioned.partrelid = parent.oid and partitioned.partstrat = 'r' and partitioned.partnatts = 1
join pg_catalog.pg_attribute attribute
    on attribute.attrelid = parent.oid and attribute.attnum = partitioned.partattrs[0]
