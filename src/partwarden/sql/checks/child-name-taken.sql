-- check: child-name-taken
-- severity: critical
-- needs: pg_partman
-- uses: partition_set, next_child, partman
-- why: another relation bears the name that a next partition needs; pg_partman then makes none, leaves a hole, and
--      reports success
select
    'critical'                                                                     as severity,
    taken.name                                                                     as object,
    format('%s bears the name of a partition that %s needs', taken.relation, taken.name) as summary,
    jsonb_build_object(
        'cause', 'pg_partman skips a partition whose name exists, and says nothing: often a detached one was left behind.',
        'relation', taken.relation,
        'kind', taken.kind,
        'bytes', taken.bytes,
        'needed_from', taken.needed_from,
        'names_taken', taken.number)                                               as detail,
    format(E'alter table %s rename to %I;\n%s', taken.relation, left(taken.short_name, 55) || '_old',
        case when taken.is_hole then format('select %I.partition_gap_fill(%L);', taken.partman, taken.parent_table)
             else taken.maintain end)                                              as remedy,
    null::timestamptz                                                              as since
from (
    select
        partition_set.name,
        partman.maintain,
        partman.schema as partman,
        partition_set.parent_table,
        bool_or(next_child.is_hole) as is_hole,
        count(*)                                                                   as number,
        (array_agg(relation.oid::regclass::text order by next_child.lower_at, next_child.lower_id))[1] as relation,
        (array_agg(relation.relname::text order by next_child.lower_at, next_child.lower_id))[1]  as short_name,
        (array_agg(case relation.relkind when 'r' then 'table' when 'p' then 'partitioned table' when 'v' then 'view'
                        when 'i' then 'index' when 'S' then 'sequence' else relation.relkind::text end
                   order by next_child.lower_at, next_child.lower_id))[1]          as kind,
        sum(case when relation.relkind in ('r', 'm') then pg_table_size(relation.oid) end) as bytes,
        coalesce(min(next_child.lower_at)::text, min(next_child.lower_id)::text)   as needed_from
    from next_child
    join partition_set on partition_set.parent = next_child.parent
    join pg_namespace namespace on namespace.nspname = partition_set.schema
    join pg_class relation on relation.relnamespace = namespace.oid and relation.relname = next_child.child_name::name
    cross join partman
    where not exists (
        select from pg_inherits where inhrelid = relation.oid and inhparent = partition_set.parent)
      -- A partition to be, of a drain: drain-interrupted tells of one that nobody goes on with.
      and not exists (
        select from pg_constraint where conrelid = relation.oid and conname = 'partwarden_drain_bound')
    group by partition_set.name, partition_set.parent_table, partman.maintain, partman.schema
) taken
