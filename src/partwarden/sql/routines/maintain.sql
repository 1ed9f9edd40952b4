create procedure partwarden.maintain(p_parent text default null)
language plpgsql
as $$
-- Maintains every partition set of this database, or the one that is named: one at a time, each in transactions of its own, so that an
-- error in one costs the others nothing. Partitions are made and committed before retention runs. Ends with an
-- error when any set failed, so that the scheduler's own record says so.
--
-- Only one call works at a time. The mark of a working call is its row in partwarden.maintenance together with
-- its statement in pg_stat_activity: nothing has to be given back, so nothing stays behind when it is killed.
declare
    v_call    bigint := partwarden.begin_maintenance(p_parent);
    v_sets    text[] := partwarden.sets_to_maintain(p_parent);
    v_seen    jsonb;
    v_set     text;
    v_is_good boolean;
    v_failed  text[] := '{}';
begin
    commit;
    call partwarden.clear_guards();
    if p_parent is null then
        v_seen := partwarden.look_at_all();
    end if;
    commit;
    foreach v_set in array v_sets loop
        call partwarden.maintain_set(v_call, v_set, v_seen operator(pg_catalog.->) v_set, v_is_good);
        commit;
        if not v_is_good then
            v_failed := pg_catalog.array_append(v_failed, v_set);
        end if;
    end loop;
    perform partwarden.end_maintenance(v_call, v_sets);
    commit;
    if pg_catalog.cardinality(v_failed) operator(pg_catalog.>) 0 then
        raise exception using
            errcode = 'data_exception',
            message = pg_catalog.format('maintenance failed for %s of %s partition sets: %s',
                pg_catalog.cardinality(v_failed),
                pg_catalog.cardinality(v_sets),
                pg_catalog.array_to_string(v_failed, ', ')),
            hint = pg_catalog.format(
                'select * from partwarden.maintenance_run where maintenance_id = %s and outcome = ''failed'';', v_call);
    end if;
end
$$;
comment on procedure partwarden.maintain(text) is
    'Maintains every partition set, or the one that is named, one at a time, and verifies the outcome.';
