create procedure partwarden.make_guarded(p_parent_table text, p_facts jsonb, inout p_made integer)
language plpgsql
as $$
-- Makes the partitions that are due beside a guarded default partition, each in a transaction of its own, so that whoever
-- uses the default partition waits for one at most. What fails is left to pg_partman's own maintenance, which comes next.
declare
    v_outcome    jsonb := partwarden.attempt('guarded steps', p_parent_table, p_facts, null);
    v_step       jsonb;
    v_give_up_at timestamptz;
begin
    p_made := 0;
    for v_step in select pg_catalog.jsonb_array_elements(v_outcome operator(pg_catalog.->) 'result') loop
        v_give_up_at := partwarden.give_up_at();
        loop
            v_outcome := partwarden.attempt('guarded step', p_parent_table, v_step, v_give_up_at);
            commit;
            exit when not partwarden.state_is(v_outcome, 'again');
            perform partwarden.pause();
        end loop;
        exit when not partwarden.state_is(v_outcome, 'done');
        p_made := p_made operator(pg_catalog.+) 1;
    end loop;
end
$$;
