-- concern: publication
-- uses: managed_parent
-- why: pg_partman 4 added new partitions to the publications of its configuration; pg_partman 5 does not. PostgreSQL does,
--      where the partitioned table itself is published
select
    '5.0.0'::text    as since,
    'warning'::text  as severity,
    format('%I.%I', namespace.nspname, parent.relname) as object,
    format('its new partitions would no longer be in publication %s', string_agg(publication.pubname, ', ' order by publication.pubname))
                     as what,
    array_agg(format('alter publication %I add table %I.%I;', publication.pubname, namespace.nspname, parent.relname)
        order by publication.pubname) as before,
    '{}'::text[]     as after
from managed_parent
join pg_class parent on parent.oid = managed_parent.parent
join pg_namespace namespace on namespace.oid = parent.relnamespace
cross join lateral jsonb_array_elements_text(
    case when jsonb_typeof(managed_parent.config -> 'publications') = 'array' then managed_parent.config -> 'publications'
         else '[]' end) wanted (name)
join pg_publication publication on publication.pubname = wanted.name
where not publication.puballtables
  and not exists (select from pg_publication_rel where prpubid = publication.oid and prrelid = managed_parent.parent)
group by namespace.nspname, parent.relname
