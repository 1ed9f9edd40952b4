-- check: extension-outdated
-- severity: warning, critical for a configuration that this pg_partman refuses
-- needs: -
-- uses: partman, part_config
-- why: the extension's files are newer than what is installed in the database, or its configuration is of an older kind
--      than it takes
select
    'warning'                                                                      as severity,
    extension.extname::text                                                        as object,
    format('extension %s is at %s, and the server has %s', extension.extname, extension.extversion, available.default_version)
                                                                                   as summary,
    jsonb_build_object(
        'cause', 'The package was upgraded, the extension in this database was not.',
        'installed', extension.extversion,
        'available', available.default_version)                                    as detail,
    case extension.extname
        -- What the update breaks has to be mended before it, or right after.
        when 'pg_partman' then 'partwarden upgrade-check'
        else format('alter extension %I update;', extension.extname)
    end                                                                            as remedy,
    null::timestamptz                                                              as since
from pg_extension extension
join pg_available_extensions available on available.name = extension.extname
where extension.extname in ('pg_partman', 'pg_cron', 'aws_lambda', 'aws_commons')
  and string_to_array(substring(extension.extversion from '^[0-9.]*[0-9]'), '.')::integer[]
      < string_to_array(substring(available.default_version from '^[0-9.]*[0-9]'), '.')::integer[]
union all
select
    'critical',
    part_config.config ->> 'parent_table',
    format('%s is configured as pg_partman 4 did (%s), which pg_partman %s does not take',
        part_config.config ->> 'parent_table', old.reason, partman.major),
    jsonb_build_object('cause', 'The configuration was carried over from pg_partman 4 without being changed.',
                       'partition_type', part_config.config ->> 'partition_type',
                       'partition_interval', part_config.config ->> 'partition_interval'),
    old.remedy,
    null
from part_config
cross join partman
cross join lateral (
    select
        case when part_config.config ->> 'partition_type' not in ('range', 'list')
                 then 'type ' || (part_config.config ->> 'partition_type')
             when part_config.config ->> 'partition_interval' in ('yearly', 'quarterly', 'monthly', 'weekly', 'daily', 'hourly')
                 then 'interval ' || (part_config.config ->> 'partition_interval')
        end as reason,
        case when part_config.config ->> 'partition_type' not in ('range', 'list')
                 then format('update %I.part_config set partition_type = ''range'' where parent_table = %L;',
                             partman.schema, part_config.config ->> 'parent_table')
             else format('update %I.part_config set partition_interval = %L where parent_table = %L;', partman.schema,
                         case part_config.config ->> 'partition_interval'
                             when 'yearly' then '1 year' when 'quarterly' then '3 months' when 'monthly' then '1 month'
                             when 'weekly' then '1 week' when 'daily' then '1 day' else '1 hour' end,
                         part_config.config ->> 'parent_table')
        end as remedy
) old
where partman.major >= 5
  and old.reason is not null
