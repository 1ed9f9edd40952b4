-- check: drain-interrupted
-- severity: warning
-- needs: -
-- uses: -
-- why: a drain was begun and nobody goes on with it: a trigger on the default partition logs every change, and the copy
--      takes disk, until it is finished or taken back
select
    'warning'                                                                      as severity,
    coalesce(begun.parent::regclass::text, begun.name)                             as object,
    format('a drain of %s was interrupted, and nobody goes on with it',
        coalesce(begun.parent::regclass::text, begun.name))                        as summary,
    jsonb_strip_nulls(jsonb_build_object(
        'cause', 'partwarden drain was ended before the new partitions were all in place.',
        'bytes', begun.bytes,
        'work_table', begun.name))                                                 as detail,
    -- A shell takes a name in apostrophes as it is.
    format(E'partwarden drain %1$s            # goes on\npartwarden drain %1$s --abandon  # takes back what was begun',
        case when begun.parent::regclass::text ~ '^[a-z0-9_.]+$' then begun.parent::regclass::text
             else '''' || replace(coalesce(begun.parent::regclass::text, begun.name), '''', '''\''''') || '''' end) as remedy,
    null::timestamptz                                                              as since
from (
    select
        format('%I.%I', namespace.nspname, steps.relname)                          as name,
        parent.oid                                                                 as parent,
        (
            select sum(pg_table_size(work.oid))
            from pg_class work
            where work.relnamespace = steps.relnamespace and work.relkind = 'r'
              and starts_with(work.relname, steps.relname)
        )                                                                          as bytes
    from pg_class steps
    join pg_namespace namespace on namespace.oid = steps.relnamespace
    left join pg_class parent
        on parent.oid = substr(steps.relname, 18)::oid and parent.relnamespace = steps.relnamespace and parent.relkind = 'p'
    where steps.relname ~ '^partwarden_drain_\d{1,9}$' and steps.relkind = 'r'
      and not exists (
          select from pg_locks lock
          where lock.locktype = 'advisory' and lock.granted and lock.objsubid = 2
            and lock.database = (select oid from pg_database where datname = current_database())
            and lock.classid::bigint = hashtext('partwarden drain')::bigint & 4294967295
            and lock.objid = substr(steps.relname, 18)::oid)
) begun
