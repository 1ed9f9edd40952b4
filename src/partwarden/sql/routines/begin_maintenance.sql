create function partwarden.begin_maintenance(p_parent text default null)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Notes that a call of maintain() begins, for all sets or for one, and refuses when another one works.
declare
    v_call    bigint;
    v_other   record;
begin
    if pg_is_in_recovery() then
        raise exception 'this server is a standby: partitions are maintained on its primary'
            using errcode = 'read_only_sql_transaction';
    end if;
    if partwarden.extension_schema('pg_partman') is null then
        raise exception 'pg_partman is not installed in database %: there is nothing to maintain', current_database()
            using errcode = 'undefined_object', hint = 'create extension pg_partman;';
    end if;
    perform partwarden.use_lock_timeout();
    -- Serialises callers for the length of this transaction only.
    lock table partwarden.maintenance in share row exclusive mode;
    select running.id, running.pid, running.started_at, activity.pid is not null as alive
    into v_other
    from partwarden.maintenance running
    left join pg_stat_activity activity
        on activity.pid = running.pid
        and running.pid <> pg_backend_pid()
        -- Of another role's session we see no more than that it is there.
        and coalesce(activity.query_start, running.started_at) = running.started_at
        and coalesce(activity.state, 'active') = 'active'
    where running.outcome = 'running';
    if v_other.alive then
        raise exception 'maintenance of database % is running already, since % in process %',
            current_database(), v_other.started_at, v_other.pid
            using errcode = 'object_in_use', hint = 'Wait for it, or end it: select pg_cancel_backend(' || v_other.pid || ');';
    end if;
    update partwarden.maintenance set outcome = 'interrupted', finished_at = now() where id = v_other.id;
    insert into partwarden.maintenance (started_at, pid, parent_table)
    values (
        statement_timestamp(), pg_backend_pid(),
        case when p_parent is not null then (partwarden.sets_to_maintain(p_parent))[1] end)
    returning id into v_call;
    return v_call;
end
$$;
