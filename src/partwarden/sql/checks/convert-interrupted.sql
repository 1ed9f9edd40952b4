-- check: convert-interrupted
-- severity: warning
-- needs: -
-- uses: -
-- why: a plain table was to become a partition set, and nobody goes on with it: a trigger looks at every row that is written,
--      and what has been built takes disk, until it is finished or taken back
select
    'warning'                                                                      as severity,
    begun.name                                                                     as object,
    format('the conversion of %s was interrupted, and nobody goes on with it', begun.name) as summary,
    jsonb_build_object(
        'cause', 'partwarden convert, or apply, was ended before it had come to its end.',
        'is_exchanged', begun.is_exchanged)                                        as detail,
    -- A shell takes a name in apostrophes as it is.
    format(E'partwarden convert %1$s         # goes on\npartwarden convert %1$s --undo  # takes it back',
        case when begun.name ~ '^[a-z0-9_.]+$' then begun.name
             else '''' || replace(begun.name, '''', '''\''''') || '''' end)         as remedy,
    null::timestamptz                                                              as since
from (
    select
        format('%I.%I', namespace.nspname, subject.relname) as name,
        inherits.inhparent is not null                      as is_exchanged
    from pg_constraint guard
    left join pg_inherits inherits on inherits.inhrelid = guard.conrelid
    join pg_class subject on subject.oid = coalesce(inherits.inhparent, guard.conrelid)
    join pg_namespace namespace on namespace.oid = subject.relnamespace
    where guard.conname = 'partwarden_convert' and guard.contype = 'c'
) begun
where not exists (
    select from pg_locks lock
    where lock.locktype = 'advisory' and lock.granted and lock.objsubid = 2
      and lock.database = (select oid from pg_database where datname = current_database())
      and lock.classid::bigint = hashtext('partwarden convert')::bigint & 4294967295
      and lock.objid::bigint = hashtext(begun.name)::bigint & 4294967295)
