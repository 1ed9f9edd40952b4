-- check: config-orphan
-- severity: critical
-- needs: pg_partman
-- uses: part_config, part_config_sub, managed_parent, partition_set, partman
-- why: pg_partman's configuration does not fit what is there: maintenance fails on it, and before 5.5 with it that of
--      every set that comes after
select
    'critical'                                                                     as severity,
    orphan.parent_table                                                            as object,
    format('pg_partman''s configuration of %s does not fit: %s', orphan.parent_table, orphan.reason) as summary,
    jsonb_build_object('cause', orphan.cause)                                      as detail,
    orphan.remedy                                                                  as remedy,
    null::timestamptz                                                              as since
from (
    select
        part_config.config ->> 'parent_table' as parent_table,
        case when managed_parent.parent is null then 'the table does not exist'
             -- pg_partman 4 also has sets made of triggers and inheritance.
             when partitioned.partrelid is null and part_config.config ->> 'partition_type' in ('native', 'range', 'list')
                 then 'the table is not partitioned'
             when key.attname <> part_config.config ->> 'control'
                 then format('its control column is %s, the table is partitioned by %s',
                             part_config.config ->> 'control', key.attname)
             when unusable.step then format('its partition_interval is %s', part_config.config ->> 'partition_interval')
             when unusable.retention then format('its retention is %s', part_config.config ->> 'retention')
             when part_config.config ->> 'template_table' is not null and template.oid is null
                 then format('its template table %s does not exist', part_config.config ->> 'template_table')
        end as reason,
        'The table was dropped, renamed or changed without telling pg_partman.' as cause,
        case
            when managed_parent.parent is null or partitioned.partrelid is null
                then format('delete from %I.part_config where parent_table = %L;',
                    partman.schema, part_config.config ->> 'parent_table')
            when key.attname <> part_config.config ->> 'control'
                then format('update %I.part_config set control = %L where parent_table = %L;',
                    partman.schema, key.attname, part_config.config ->> 'parent_table')
            when unusable.step
                then format('update %I.part_config set partition_interval = ''1 day'' where parent_table = %L;  -- whatever it is',
                    partman.schema, part_config.config ->> 'parent_table')
            when unusable.retention
                then format('update %I.part_config set retention = null where parent_table = %L;  -- or what it should be',
                    partman.schema, part_config.config ->> 'parent_table')
            else format('update %I.part_config set template_table = null where parent_table = %L;',
                    partman.schema, part_config.config ->> 'parent_table')
        end as remedy
    from part_config
    cross join partman
    left join managed_parent on managed_parent.config ->> 'parent_table' = part_config.config ->> 'parent_table'
    left join pg_partitioned_table partitioned on partitioned.partrelid = managed_parent.parent
    left join pg_attribute key
        on key.attrelid = partitioned.partrelid and key.attnum = partitioned.partattrs[0] and partitioned.partnatts = 1
    left join pg_namespace template_schema
        on template_schema.nspname = split_part(part_config.config ->> 'template_table', '.', 1)::name
    left join pg_class template
        on template.relnamespace = template_schema.oid
        and template.relname = split_part(part_config.config ->> 'template_table', '.', 2)::name
    left join partition_set on partition_set.parent = managed_parent.parent
    cross join lateral (
        select
            partition_set.kind <> 'other' and part_config.config ->> 'partition_interval' !~ '\d'
                -- extension-outdated tells of those that pg_partman 4 had.
                and part_config.config ->> 'partition_interval' !~ '^(year|quarter|month|week|dai|hour)ly$' as step,
            partition_set.retention !~ '\d' as retention
    ) unusable
    union all
    select
        part_config_sub.config ->> 'sub_parent',
        'it is to be sub-partitioned, and is no set itself',
        'part_config_sub has a row whose parent is not in part_config.',
        format('delete from %I.part_config_sub where sub_parent = %L;', partman.schema, part_config_sub.config ->> 'sub_parent')
    from part_config_sub
    cross join partman
    where not exists (
        select from part_config where part_config.config ->> 'parent_table' = part_config_sub.config ->> 'sub_parent')
) orphan
where orphan.reason is not null
