-- relation: partition_child
-- uses: partition_set
-- why: every partition of every set, the default one included, as the catalog has it. No table is opened: a bound
--      refers to no column, so pg_get_expr() needs no table, and newer servers would lock the one it is given
select
    partition_set.parent,
    child.oid                                                       as child,
    child.relname                                                   as child_name,
    child.relnamespace                                              as child_schema,
    child.relkind                                                   as child_kind,
    child.relpersistence                                            as persistence,
    child.relreplident                                              as replica_identity,
    child.relowner                                                  as owner,
    child.relacl                                                    as privileges,
    child.relpages                                                  as pages,
    child.reltuples                                                 as rows,
    child.reltoastrelid                                             as toast,
    coalesce(child.oid = partition_set.default_partition, false)    as is_default,
    coalesce((to_jsonb(inherits) ->> 'inhdetachpending')::boolean, false) as detach_pending,
    pg_get_expr(child.relpartbound, 0)                              as bound
from partition_set
join pg_catalog.pg_inherits inherits on inherits.inhparent = partition_set.parent
join pg_catalog.pg_class child on child.oid = inherits.inhrelid
