-- relation: child_trait
-- uses: partition_child
-- why: what a partition may have and its siblings not, counted
select
    partition_child.*,
    coalesce(index.number, 0)         as indexes,
    coalesce(bound_by.number, 0)      as constraints,
    coalesce(publication.number, 0)   as publications
from partition_child
left join (
    select indrelid, count(*) as number from pg_catalog.pg_index where indisvalid group by indrelid
) index on index.indrelid = partition_child.child
left join (
    select conrelid, count(*) as number
    from pg_catalog.pg_constraint
    -- pg_partman itself puts constraints on old partitions only.
    where contype in ('c', 'u', 'p', 'x') and conname not like 'partmanconstr\_%'
    group by conrelid
) bound_by on bound_by.conrelid = partition_child.child
left join (
    select prrelid, count(*) as number from pg_catalog.pg_publication_rel group by prrelid
) publication on publication.prrelid = partition_child.child
