create function partwarden.swap_await_snapshots(p_applied xid8, p_milliseconds integer, p_is_strict boolean)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Waits until nobody in this database looks at a moment before transaction p_applied, the last one that wrote to the copy:
-- there the rows would be missing that it wrote, whether they are looked for by a function, a cursor or in REPEATABLE READ.
-- Raises lock_not_available when that takes longer.
--
-- Who waits for a lock waits for us, most likely, to write; it takes its snapshot when it has it, unless it is in
-- REPEATABLE READ. That can't be seen, so they count as well when p_is_strict; and since they wait for as long as we do,
-- there is nothing to be waited for when only they are left. Of other roles' sessions nothing is seen without pg_monitor.
declare
    c_give_up_at constant timestamptz := clock_timestamp() + p_milliseconds * interval '1 millisecond';
    v_older jsonb;
    v_now   jsonb;
    v_is_in_vain boolean;
begin
    loop
        perform pg_stat_clear_snapshot();  -- else it is as old as this transaction
        select jsonb_agg(to_jsonb(seen) - 'is_waiting'), bool_and(is_waiting)
        into v_now, v_is_in_vain
        from (
            select pid, usename::text, xact_start, backend_xmin::text,
                coalesce(wait_event_type = 'Lock', false) as is_waiting
            from pg_stat_activity
            where datname = current_database()
              and pid <> pg_backend_pid()
              and application_name is distinct from 'partwarden'
              and backend_type is distinct from 'autovacuum worker'
              and age(backend_xmin) >= age(p_applied::xid)
              and (p_is_strict or wait_event_type is distinct from 'Lock')
        ) seen;
        v_older := (
            select jsonb_agg(listed.session)
            from jsonb_array_elements(v_now) as listed (session)
            where v_older is null or v_older @> jsonb_build_array(listed.session)
        );
        if v_older is null then
            return;
        end if;
        if v_is_in_vain or clock_timestamp() > c_give_up_at then
            raise exception 'process % (%, in a transaction since %) reads from an earlier moment',
                v_older -> 0 ->> 'pid', v_older -> 0 ->> 'usename',
                to_char((v_older -> 0 ->> 'xact_start')::timestamptz, 'HH24:MI:SS')
                using errcode = 'lock_not_available';
        end if;
        perform pg_sleep(0.001);
    end loop;
end
$$;
