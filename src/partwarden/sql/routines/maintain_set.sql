create procedure partwarden.maintain_set(p_call bigint, p_parent_table text, p_bounds jsonb, inout p_is_good boolean)
language plpgsql
as $$
-- Maintains one set: moves rows that are in the way, if its policy allows; has pg_partman make the next partitions; looks
-- at what came of it; and applies its retention. Each is in a transaction of its own. A lock that can't be had is tried
-- for again until setting.lock_timeout is over, with pauses in which everybody goes on. No error leaves here.
declare
    c_most_rounds constant integer := 10;
    v_started_at timestamptz := pg_catalog.clock_timestamp();
    v_give_up_at timestamptz := partwarden.give_up_at();
    v_bounds     jsonb := p_bounds;
    v_facts      jsonb;
    v_next       text;
    v_outcome    jsonb;
    v_made       integer := 0;
    v_rounds     integer := 0;
    v_one_by_one integer;
    v_may_guard  boolean := true;
    v_is_guarded boolean;
begin
    p_is_good := true;
    loop
        v_outcome := partwarden.attempt('look', p_parent_table, v_bounds, v_give_up_at);
        v_bounds := null;  -- good for the first time
        v_next := null;
        v_is_guarded := false;
        if partwarden.state_is(v_outcome, 'done') then
            v_facts := partwarden.facts_with(v_outcome operator(pg_catalog.->) 'result', 'since',
                pg_catalog.to_jsonb(v_started_at));
            if v_facts operator(pg_catalog.->>) 'parent' is null
                and not exists (select from partwarden.part_config(p_parent_table))
            then
                return;  -- dropped by its parent's since the list was made
            end if;
            v_next := partwarden.next_step(v_facts, v_rounds, v_may_guard);
        end if;
        if v_next operator(pg_catalog.=) 'stand back' then
            v_outcome := partwarden.drain_outcome(v_facts);
            exit;
        elsif v_next operator(pg_catalog.=) 'repair' then
            commit;
            call partwarden.repair_set(p_call, p_parent_table, v_facts, v_outcome);
            exit when partwarden.state_is(v_outcome, 'failed');
            v_rounds := v_rounds operator(pg_catalog.+) 1;
            v_give_up_at := partwarden.give_up_at();
            continue;
        elsif v_next operator(pg_catalog.=) 'guard' then
            commit;
            call partwarden.guard_set(p_parent_table, v_facts, v_is_guarded);
            v_may_guard := v_is_guarded;
            v_give_up_at := partwarden.give_up_at();
            continue when not v_is_guarded;  -- it has taken a while: things may stand differently now
            call partwarden.make_guarded(p_parent_table, v_facts, v_one_by_one);
            v_made := v_made operator(pg_catalog.+) v_one_by_one;
            v_facts := partwarden.facts_with(v_facts, 'made', pg_catalog.to_jsonb(v_one_by_one));
        end if;
        if v_next is not null then
            loop
                v_outcome := partwarden.attempt('create', p_parent_table, v_facts, v_give_up_at);
                exit when not partwarden.state_is(v_outcome, 'again');
                commit;
                perform partwarden.pause();
            end loop;
            if v_facts operator(pg_catalog.->>) 'due' operator(pg_catalog.<>) '0' then
                commit;
            end if;
            if v_is_guarded or partwarden.state_is(v_outcome, 'intruded') then
                call partwarden.clear_guards((v_facts operator(pg_catalog.->>) 'parent')::pg_catalog.oid);
            end if;
            if partwarden.state_is(v_outcome, 'done') then
                v_made := v_made operator(pg_catalog.+)
                    (v_outcome operator(pg_catalog.->>) 'result')::pg_catalog.int4;
                v_outcome := partwarden.attempt('verify', p_parent_table, v_facts, v_give_up_at);
            end if;
        end if;
        exit when partwarden.state_is(v_outcome, 'done') or partwarden.state_is(v_outcome, 'failed');
        v_rounds := v_rounds operator(pg_catalog.+) partwarden.state_is(v_outcome, 'intruded')::pg_catalog.int4;
        v_may_guard := v_may_guard and v_rounds operator(pg_catalog.<) c_most_rounds;
        commit;
        perform partwarden.pause();
    end loop;
    p_is_good := partwarden.note_run(p_call, p_parent_table, 'create', v_started_at, v_outcome, v_made);
    if v_facts operator(pg_catalog.->>) 'retention' is null or partwarden.state_is(v_outcome, 'left out') then
        return;
    end if;
    commit;

    v_started_at := pg_catalog.clock_timestamp();
    v_give_up_at := partwarden.give_up_at();
    loop
        v_outcome := partwarden.attempt('retention', p_parent_table, v_facts, v_give_up_at);
        exit when not partwarden.state_is(v_outcome, 'again');
        commit;
        perform partwarden.pause();
    end loop;
    p_is_good := partwarden.note_run(p_call, p_parent_table, 'retention', v_started_at, v_outcome,
            (v_outcome operator(pg_catalog.->>) 'result')::pg_catalog.int4)
        and p_is_good;
end
$$;
