create procedure partwarden.repair_set(
    p_call bigint, p_parent_table text, p_facts jsonb, inout p_outcome jsonb)
language plpgsql
as $$
-- Moves the rows that are in the way of a set's next partitions into partitions of their own, an interval a transaction.
-- What fails ends it; what has been moved until then stays so. Keeps a run of phase 'repair' when all went well; what went
-- wrong is returned, for the set has not got its partitions.
declare
    v_started_at timestamptz := pg_catalog.clock_timestamp();
    v_give_up_at timestamptz;
    v_step       jsonb;
    v_repair     jsonb;
    v_made       integer := 0;
begin
    p_outcome := partwarden.attempt('plan', p_parent_table, p_facts, null);
    commit;
    for v_step in select pg_catalog.jsonb_array_elements(p_outcome operator(pg_catalog.->) 'result') loop
        v_give_up_at := partwarden.give_up_at();
        loop
            p_outcome := partwarden.attempt('drain', p_parent_table,
                partwarden.repair_step_facts(p_call, p_facts, v_step, v_repair), v_give_up_at);
            commit;
            exit when not partwarden.state_is(p_outcome, 'again');
            perform partwarden.pause();
        end loop;
        exit when not partwarden.state_is(p_outcome, 'done');
        v_repair := p_outcome operator(pg_catalog.->) 'result';
        v_made := v_made operator(pg_catalog.+) 1;
    end loop;
    if v_made operator(pg_catalog.>) 0 then
        -- Of those that it can't validate now, the next drain or repair tries again.
        perform partwarden.attempt('references', p_parent_table, p_facts, null);
    end if;
    if partwarden.state_is(p_outcome, 'done') then
        perform partwarden.note_run(p_call, p_parent_table, 'repair', v_started_at, p_outcome, v_made);
    else
        p_outcome := partwarden.note_failed_repair(p_call, p_parent_table, v_repair, p_outcome);
    end if;
    commit;
end
$$;
