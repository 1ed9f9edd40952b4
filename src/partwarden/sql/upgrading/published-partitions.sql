-- concern: published-partitions
-- uses: managed_parent, partman
-- why: from pg_partman 5.1 on, retention takes a partition that it keeps out of the publications that name it, which only
--      their owner may; retention_keep_publication leaves it there, as before
select
    '5.1.0'::text    as since,
    case when bool_or(publication.pubowner <> parent.relowner) then 'critical' else 'warning' end as severity,
    managed_parent.config ->> 'parent_table' as object,
    format('its retention would take partitions out of publication %s%s',
        string_agg(distinct publication.pubname, ', '),
        case when bool_or(publication.pubowner <> parent.relowner)
             then ', which does not belong to the table''s owner, so that maintenance would fail' else '' end) as what,
    '{}'::text[]     as before,
    array[format('update %I.part_config set retention_keep_publication = true where parent_table = %L;', partman.schema,
        managed_parent.config ->> 'parent_table')] as after
from partman
cross join managed_parent
join pg_class parent on parent.oid = managed_parent.parent
join pg_inherits inherits on inherits.inhparent = managed_parent.parent
join pg_partitioned_table partitioned on partitioned.partrelid = managed_parent.parent
    -- No retention takes the default partition away.
    and partitioned.partdefid <> inherits.inhrelid
join pg_publication_rel member on member.prrelid = inherits.inhrelid
join pg_publication publication on publication.oid = member.prpubid
where managed_parent.config ->> 'retention' is not null
  and (managed_parent.config ->> 'retention_keep_table' = 'true' or managed_parent.config ->> 'retention_schema' is not null)
  and coalesce(managed_parent.config ->> 'retention_keep_publication', 'false') = 'false'
group by partman.schema, managed_parent.config ->> 'parent_table'
