create procedure partwarden.guard_set(p_parent_table text, p_facts jsonb, inout p_is_guarded boolean)
language plpgsql
as $$
-- Places the guard of a set's big default partition and proves that no row is in the way, in two transactions. When that
-- fails, it is as if nothing had been done.
declare
    v_give_up_at timestamptz := partwarden.give_up_at();
    v_step       text;
    v_outcome    jsonb;
begin
    foreach v_step in array '{guard,validate}'::text[] loop
        loop
            v_outcome := partwarden.attempt(v_step, p_parent_table, p_facts, v_give_up_at);
            commit;
            exit when not partwarden.state_is(v_outcome, 'again');
            perform partwarden.pause();
        end loop;
        p_is_guarded := partwarden.state_is(v_outcome, 'done');
        exit when not p_is_guarded;
    end loop;
    if not p_is_guarded then
        call partwarden.clear_guards((p_facts operator(pg_catalog.->>) 'parent')::pg_catalog.oid);
    end if;
end
$$;
