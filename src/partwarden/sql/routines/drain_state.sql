create function partwarden.drain_state(p_parent regclass)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- Whether the drain that has begun on a set is at work ('at work, process 123'), or was interrupted: the session that
-- drains has an advisory lock for as long as it lives.
select coalesce(
    (
        select 'at work, process ' || pid
        from pg_locks
        where locktype = 'advisory' and granted
          and database = (select oid from pg_database where datname = current_database())
          and classid = hashtext('partwarden drain')::oid and objid = p_parent::oid and objsubid = 2
        limit 1
    ), 'interrupted')
$$;
