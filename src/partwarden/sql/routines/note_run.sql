create function partwarden.note_run(
    p_call bigint, p_parent_table text, p_phase text, p_started_at timestamptz, p_outcome jsonb, p_changed integer default 0)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Keeps what became of one phase of one set; whether it went well.
begin
    insert into partwarden.maintenance_run (
        maintenance_id, parent_table, phase, started_at, finished_at, outcome,
        partitions_made, partitions_dropped,
        sqlstate, message, detail, hint, context
    )
    values (
        p_call, p_parent_table, p_phase, p_started_at, clock_timestamp(),
        case p_outcome ->> 'state' when 'done' then 'succeeded' when 'left out' then 'left out' else 'failed' end,
        case when p_phase <> 'retention' then coalesce(p_changed, 0) else 0 end,
        case when p_phase = 'retention' then coalesce(p_changed, 0) else 0 end,
        p_outcome ->> 'sqlstate', p_outcome ->> 'message', p_outcome ->> 'detail', p_outcome ->> 'hint', p_outcome ->> 'context'
    );
    -- Nobody waits for this to reach the disk; the commit that ends the call takes it along.
    perform set_config('synchronous_commit', 'off', true);
    return p_outcome ->> 'state' in ('done', 'left out');
end
$$;
