-- check: config-drift
-- severity: warning
-- needs: pg_partman, monitor
-- uses: wanted_set, part_config, part_config_sub
-- why: somebody has changed pg_partman's configuration by hand since the file was applied: the file no longer says what is
--      there, and the next apply takes the change back
select
    'warning'                                                          as severity,
    drift.parent_table                                                 as object,
    case when drift.is_gone
         then format('pg_partman no longer manages %s, which the file has', drift.parent_table)
         else format('the configuration of %s is not as the file has it: %s', drift.parent_table, drift.columns) end as summary,
    jsonb_build_object(
        'cause', 'It was changed by hand, or by another tool, after the file was applied.',
        'applied_at', drift.applied_at,
        'differs', drift.differs)                                      as detail,
    'partwarden plan'                                                  as remedy,
    null::timestamptz                                                  as since
from (
    select
        wanted_set.parent_table,
        wanted_set.applied_at,
        part_config.config is null                                     as is_gone,
        (select string_agg(format('%s is %s, not %s', value.name, value.actual, value.wanted), '; ' order by value.name)
         from jsonb_to_recordset(told.differs) as value (name text, wanted text, actual text)) as columns,
        told.differs
    from wanted_set
    left join part_config on part_config.config ->> 'parent_table' = wanted_set.parent_table
    left join part_config_sub on part_config_sub.config ->> 'sub_parent' = wanted_set.parent_table
    cross join lateral (
        select jsonb_agg(jsonb_build_object(
            'name', wanted.key,
            'wanted', coalesce(wanted.value #>> '{}', 'nothing'),
            'actual', coalesce(actual.value #>> '{}', 'nothing'))) as differs
        from (
            select key, value, part_config.config as config from jsonb_each(wanted_set.config)
            union all
            select key, value, part_config_sub.config from jsonb_each(coalesce(wanted_set.sub, '{}'))
        ) wanted
        cross join lateral (select wanted.config -> wanted.key as value) actual
        where wanted.value is distinct from coalesce(actual.value, 'null')
    ) told
) drift
where drift.is_gone or drift.differs is not null
