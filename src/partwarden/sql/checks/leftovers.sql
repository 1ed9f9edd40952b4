-- check: leftovers
-- severity: warning
-- needs: pg_partman
-- uses: setting, partition_set, headroom, partman, part_config
-- why: detached partitions and tables that pg_partman made for itself stay for ever unless somebody drops them: keeping
--      the table is pg_partman's default
select
    'warning'                                                                      as severity,
    leftover.object                                                                as object,
    leftover.summary                                                               as summary,
    jsonb_build_object(
        'cause', leftover.cause,
        'tables', leftover.number,
        'bytes', leftover.bytes,
        'oldest', leftover.oldest)                                                 as detail,
    leftover.remedy                                                                as remedy,
    null::timestamptz                                                              as since
from (
    select
        detached.set_name                                                          as object,
        format('%s detached partitions of %s are left behind, %s', count(*), detached.set_name,
            pg_size_pretty(sum(detached.bytes)))                                   as summary,
        'Retention detaches partitions and keeps the tables (retention_keep_table), and nobody drops them.' as cause,
        count(*)                                                                   as number,
        sum(detached.bytes)                                                        as bytes,
        min(detached.relname)                                                      as oldest,
        string_agg(format('drop table %s;', detached.oid::regclass), E'\n' order by detached.relname)
            filter (where detached.place <= 10)                                    as remedy
    from (
        select
            relation.oid,
            relation.relname::text,
            partition_set.name as set_name,
            pg_total_relation_size(relation.oid) as bytes,
            row_number() over (partition by partition_set.parent order by relation.relname) as place
        from partition_set
        join headroom on headroom.parent = partition_set.parent
        cross join setting
        join (
            select named.oid, named.relname, namespace.nspname, parts[1] as base, parts[2] as suffix
            from pg_class named
            join pg_namespace namespace on namespace.oid = named.relnamespace
            cross join lateral regexp_match(named.relname, '^(.*)_p(\d[0-9w_]*)$') as split (parts)
            where named.relkind in ('r', 'p') and not named.relispartition and parts is not null
              and not exists (
                  select from pg_constraint where conrelid = named.oid and conname = 'partwarden_drain_bound')
            -- First, or every table is matched once for every set.
            offset 0
        ) relation
            on relation.nspname = partition_set.schema
            and left(relation.base, 40) = left(partition_set.table_name, 40)
        cross join lateral (
            select
                least(headroom.first_lower_at, now() - partition_set.retention_step) - setting.leftovers_after as at,
                case when partition_set.width is not null
                     then headroom.first_lower_id - 10 * partition_set.width end as id
        ) oldest_wanted
        where partition_set.is_managed
          -- pg_partman cuts a long table's name so that the suffix fits.
          and (relation.base = partition_set.table_name
               or octet_length(relation.relname::text) >= 60
                  and left(partition_set.table_name, length(relation.base)) = relation.base)
          -- Names are in the order of time, so they are compared as they are.
          and case
              when partition_set.kind = 'id'
                  then length(relation.suffix) < 19 and relation.suffix ~ '^\d+$' and relation.suffix::numeric < oldest_wanted.id
              else length(relation.suffix) = length(to_char(now(), partition_set.datetime_string))
                   and relation.suffix collate "C" < to_char(oldest_wanted.at, partition_set.datetime_string) collate "C"
          end
    ) detached
    group by detached.set_name
    union all
    select
        template.oid::regclass::text,
        format('template table %s belongs to no partition set', template.oid::regclass),
        'Its set was taken out of pg_partman''s configuration, or never finished.',
        1,
        pg_total_relation_size(template.oid),
        template.relname::text,
        format('drop table %s;', template.oid::regclass)
    from partman
    join pg_namespace namespace on namespace.nspname = partman.schema
    join pg_class template on template.relnamespace = namespace.oid
    where template.relkind = 'r'
      and template.relname like 'template\_%'
      and not exists (
          select from part_config where part_config.config ->> 'template_table' = namespace.nspname || '.' || template.relname)
) leftover
