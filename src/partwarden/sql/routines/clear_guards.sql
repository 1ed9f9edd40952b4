create procedure partwarden.clear_guards(p_parent oid default null)
language plpgsql
as $$
-- Removes the guards that were left behind, of one set or of all, each in a transaction of its own. One whose locks can't be
-- had in time, or that is somebody else's, stays for the next time: it refuses nobody's row.
declare
    v_parents    oid[] := array(
        select guards.parent from partwarden.guards()
        where p_parent is null or guards.parent operator(pg_catalog.=) p_parent);
    v_parent     oid;
    v_give_up_at timestamptz;
    v_outcome    jsonb;
begin
    foreach v_parent in array v_parents loop
        v_give_up_at := partwarden.give_up_at();
        loop
            v_outcome := partwarden.attempt('unguard', null,
                pg_catalog.jsonb_build_object('parent', v_parent), v_give_up_at);
            commit;
            exit when not partwarden.state_is(v_outcome, 'again');
            perform partwarden.pause();
        end loop;
    end loop;
end
$$;
