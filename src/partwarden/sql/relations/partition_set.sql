-- relation: partition_set
-- uses: managed_parent, unmanaged_parent
-- why: the tables partitioned by range on one column, those that pg_partman manages and those that nobody does. kind
--      says what the control column counts: time, epoch (a number that means a time), encoded (a text or uuid that
--      holds a time), id, or other, which can't be compared here
select
    parent.oid                                                       as parent,
    format('%I.%I', namespace.nspname, parent.relname)               as name,
    namespace.nspname                                                as schema,
    parent.relname                                                   as table_name,
    parent.relowner                                                  as owner,
    found.config is not null                                         as is_managed,
    found.config ->> 'parent_table'                                  as parent_table,
    attribute.attname                                                as control,
    attribute.atttypid                                               as control_type,
    told.kind,
    case found.config ->> 'epoch'
        when 'seconds' then 1
        when 'milliseconds' then 1000
        when 'microseconds' then 1000000
        when 'nanoseconds' then 1000000000
    end                                                              as epoch_unit,
    case when exists (
        select from pg_catalog.pg_namespace
        where nspname = split_part(found.config ->> 'time_decoder', '.', 1) and has_schema_privilege(oid, 'usage')
    ) then to_regproc(found.config ->> 'time_decoder') end           as decoder,
    found.config ->> 'partition_interval'                            as partition_interval,
    case when told.kind in ('time', 'epoch', 'encoded') then
        case when found.config ->> 'partition_interval' ~* told.interval_pattern
             then least((found.config ->> 'partition_interval')::interval, interval '100 years') end end as step,
    case when told.kind = 'id' then
        case when found.config ->> 'partition_interval' ~ told.number_pattern
             then (found.config ->> 'partition_interval')::numeric end end as width,
    (found.config ->> 'premake')::integer                            as premake,
    (found.config ->> 'infinite_time_partitions')::boolean           as infinite,
    (found.config ->> 'ignore_default_data')::boolean                as ignores_default,
    (found.config ->> 'sub_partition_set_full')::boolean             as is_full,
    found.config ->> 'automatic_maintenance' = 'on'
        and not (found.config ->> 'undo_in_progress')::boolean       as is_maintained,
    found.config ->> 'retention'                                     as retention,
    case when told.kind in ('time', 'epoch', 'encoded') then
        case when found.config ->> 'retention' ~* told.interval_pattern
             then least((found.config ->> 'retention')::interval, interval '1000 years') end end as retention_step,
    case when told.kind = 'id' then
        case when found.config ->> 'retention' ~ told.number_pattern
             then (found.config ->> 'retention')::numeric end end    as retention_width,
    found.config ? 'maintenance_last_run'                            as knows_last_run,
    (found.config ->> 'maintenance_last_run')::timestamptz           as last_run,
    found.config ->> 'async_partitioning_in_progress'                as async_in_progress,
    found.config ->> 'datetime_string'                               as datetime_string,
    (found.config ->> 'inherit_privileges')::boolean                 as inherits_privileges,
    nullif(partitioned.partdefid, 0)::oid                            as default_partition
-- A value that somebody has spoiled must not stop every check: config-orphan tells of it. Nor must so long a time that what
-- lies before it has no date.
from (select * from managed_parent union all select * from unmanaged_parent) found
join pg_catalog.pg_class parent on parent.oid = found.parent
join pg_catalog.pg_namespace namespace on namespace.oid = parent.relnamespace
join pg_catalog.pg_partitioned_table partitioned
    on partitioned.partrelid = parent.oid and partitioned.partstrat = 'r' and partitioned.partnatts = 1
join pg_catalog.pg_attribute attribute
    on attribute.attrelid = parent.oid and attribute.attnum = partitioned.partattrs[0]
cross join lateral (
    select
        case
            when attribute.atttypid in ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype) then 'time'
            when found.config is not null and attribute.atttypid in
                ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype, 'uuid'::regtype) then 'encoded'
            when attribute.atttypid not in
                ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype, 'numeric'::regtype) then 'other'
            when found.config ->> 'epoch' <> 'none' then 'epoch'
            else 'id'
        end as kind,
        -- What PostgreSQL is sure to take as an interval; it takes more, but there is no asking it without an error.
        '^\s*(?=.*\d)('
        'P(?=\d|T\d)(\d{1,6}Y)?(\d{1,6}M)?(\d{1,6}W)?(\d{1,6}D)?(T(?=\d)(\d{1,6}H)?(\d{1,6}M)?(\d{1,6}(\.\d{1,6})?S)?)?'
        '|(\d{1,6} *y(ears?|rs?)?)? *(\d{1,6} *mon(s|ths?)?)? *(\d{1,6} *w(eeks?)?)? *(\d{1,6} *d(ays?)?)?'
        ' *(\d{1,6} *h(ours?|rs?)?)? *(\d{1,6} *min(s|utes?)?)? *(\d{1,6}(\.\d{1,6})? *s(ecs?|econds?)?)?'
        '|((\d{1,6} y(ears?|rs?)? +)?(\d{1,6} mon(s|ths?)? +)?(\d{1,6} days? +)?)\d{1,4}:[0-5]\d(:[0-5]\d(\.\d{1,6})?)?'
        ')\s*$' as interval_pattern,
        '^\s*\d+(\.\d+)?\s*$' as number_pattern
) told
