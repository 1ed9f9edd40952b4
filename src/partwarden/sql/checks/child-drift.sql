-- check: child-drift
-- severity: warning
-- needs: sets
-- uses: partition_set, child_trait
-- why: a partition is not like its parent or most of its siblings: an index, a constraint, the owner, a privilege, the
--      replica identity or a publication is missing, an index is invalid, or the partition is unlogged
select
    'warning'                                                                      as severity,
    odd.table_oid::regclass::text                                                  as object,
    format('%s differs from the rest of %s: %s', odd.table_oid::regclass, odd.set_name, odd.reasons ->> 0) as summary,
    jsonb_build_object(
        'cause', 'It was made or changed by hand, or before its parent was changed.',
        'set', odd.set_name,
        'differences', odd.reasons)                                                as detail,
    odd.remedy                                                                     as remedy,
    null::timestamptz                                                              as since
from (
    select
        difference.table_oid,
        difference.set_name,
        jsonb_agg(distinct difference.reason)          as reasons,
        string_agg(distinct difference.remedy, E'\n')  as remedy
    from (
        select child.child as table_oid, child.set_name, found.reason, found.remedy
        from (
            select
                child_trait.*,
                partition_set.name      as set_name,
                partition_set.owner     as parent_owner,
                parent.relreplident     as parent_identity,
                usual.persistence       as usual_persistence,
                usual.indexes           as usual_indexes,
                usual.constraints       as usual_constraints,
                usual.publications      as usual_publications,
                case when partition_set.inherits_privileges then coalesce(parent.relacl::text, '')
                     else usual.privileges end as usual_privileges
            from child_trait
            join partition_set on partition_set.parent = child_trait.parent
            join pg_class parent on parent.oid = child_trait.parent
            join (
                -- What most partitions have; of two that are equally frequent mode() takes the lesser one.
                select
                    child_trait.parent,
                    child_trait.child_kind,
                    mode() within group (order by child_trait.persistence)                     as persistence,
                    mode() within group (order by coalesce(child_trait.privileges::text, ''))  as privileges,
                    mode() within group (order by child_trait.indexes)                         as indexes,
                    mode() within group (order by child_trait.constraints)                     as constraints,
                    mode() within group (order by child_trait.publications)                    as publications
                from child_trait
                group by child_trait.parent, child_trait.child_kind
            ) usual on usual.parent = child_trait.parent and usual.child_kind = child_trait.child_kind
        ) child
        cross join lateral (
            select 'it lacks an index' as reason,
                   format('select indexrelid::regclass, pg_get_indexdef(indexrelid) from pg_index where indrelid = %L::regclass;'
                          '  -- compare it with another partition''s', child.child::regclass) as remedy
            where child.indexes < child.usual_indexes and not child.is_default
            union all
            select 'it lacks a constraint',
                   format('select conname, pg_get_constraintdef(oid) from pg_constraint where conrelid = %L::regclass;'
                          '  -- compare it with another partition''s', child.child::regclass)
            where child.constraints < child.usual_constraints and not child.is_default
            union all
            select format('its owner is %s, not %s', pg_get_userbyid(child.owner), pg_get_userbyid(child.parent_owner)),
                   format('alter table %s owner to %I;', child.child::regclass, pg_get_userbyid(child.parent_owner))
            where child.owner <> child.parent_owner
            union all
            select 'its replica identity is not its parent''s',
                   format('alter table %s replica identity %s;', child.child::regclass,
                       case child.parent_identity when 'f' then 'full' when 'n' then 'nothing' else 'using index …' end)
            where child.parent_identity <> 'd' and child.replica_identity <> child.parent_identity
            union all
            select 'it is in fewer publications',
                   'select pubname, tablename from pg_publication_tables order by 1, 2;'
            where child.publications < child.usual_publications
            union all
            select case child.persistence when 'u' then 'it is unlogged' else 'it is logged' end,
                   format('alter table %s set %s;  -- this rewrites it', child.child::regclass,
                       case child.persistence when 'u' then 'logged' else 'unlogged' end)
            where child.persistence <> child.usual_persistence
            union all
            select format('it lacks privileges of %s', string_agg(distinct pg_get_userbyid(lacking.grantee), ', ')),
                   string_agg(format('grant %s on %s to %s;', lower(lacking.privilege_type), child.child::regclass,
                       case when lacking.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(lacking.grantee)) end),
                       E'\n' order by lacking.privilege_type)
            from (
                select wanted.grantee, wanted.privilege_type
                from aclexplode(nullif(child.usual_privileges, '')::aclitem[]) wanted
                where child.usual_privileges <> coalesce(child.privileges::text, '')
                  and wanted.grantee <> child.parent_owner
                except
                select had.grantee, had.privilege_type from aclexplode(child.privileges) had
            ) lacking
            having count(*) > 0
        ) found
        union all
        select
            index.indrelid,
            partition_set.name,
            format('its index %s is invalid', index.indexrelid::regclass),
            case when index.indrelid = partition_set.parent
                 then format('select indexrelid::regclass from pg_index where indrelid in '
                             '(select relid from pg_partition_tree(%L)) and not indisvalid;  -- attach what is missing',
                             partition_set.name)
                 else format('reindex index concurrently %s;', index.indexrelid::regclass) end
        from pg_index index
        join (
            select child_trait.child as table_oid, child_trait.parent from child_trait
            union all
            select partition_set.parent, partition_set.parent from partition_set
        ) concerned on concerned.table_oid = index.indrelid
        join partition_set on partition_set.parent = concerned.parent
        where not index.indisvalid
          -- One that is just being built is not valid yet.
          and not exists (select from pg_stat_progress_create_index building where building.index_relid = index.indexrelid)
    ) difference
    group by difference.table_oid, difference.set_name
) odd
