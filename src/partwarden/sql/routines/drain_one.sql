create procedure partwarden.drain_one(
    p_parent regclass, p_interval text, p_lower text, p_upper text, p_child name)
language plpgsql
as $$
-- Drains one interval in a transaction of its own. Its locks are asked for in short tries with pauses between them, in
-- which everybody else goes on; when setting.lock_timeout is over, an error says who has them.
declare
    v_give_up_at timestamptz := partwarden.give_up_at();
    v_moved      bigint;
begin
    loop
        v_moved := partwarden.try_drain(p_parent, p_interval, p_lower, p_upper, p_child, v_give_up_at);
        commit;
        exit when v_moved is not null;
        perform partwarden.pause();
    end loop;
end
$$;
