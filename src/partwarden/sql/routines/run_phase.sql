create function partwarden.run_phase(p_call bigint, p_parent_table text, p_phase text)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Makes one set's partitions (phase 'create') or applies its retention (phase 'retention'). True when all is as
-- it should be. An error does not leave here: it is undone and kept in partwarden.maintenance_run.
declare
    v_started_at timestamptz := clock_timestamp();
    v_outcome    text := 'succeeded';
    v_changed    integer;
    v_sqlstate   text;
    v_message    text;
    v_detail     text;
    v_hint       text;
    v_context    text;
begin
    if not exists (
        select from partwarden.part_config(p_parent_table) as listed (config)
        where p_phase = 'create' or config ->> 'retention' is not null
    ) then
        return true;  -- no retention, or the set was dropped by its parent's since the list was made
    end if;
    begin
        perform partwarden.use_lock_timeout();
        perform partwarden.take_partman_lock();
        case p_phase
            when 'create' then v_changed := partwarden.make_partitions(p_parent_table);
            when 'retention' then v_changed := partwarden.apply_retention(p_parent_table);
        end case;
    exception when others then
        get stacked diagnostics
            v_sqlstate = returned_sqlstate,
            v_message = message_text,
            v_detail = pg_exception_detail,
            v_hint = pg_exception_hint,
            v_context = pg_exception_context;
        v_outcome := 'failed';
    end;
    insert into partwarden.maintenance_run (
        maintenance_id, parent_table, phase, started_at, finished_at, outcome,
        partitions_made, partitions_dropped,
        sqlstate, message, detail, hint, context
    )
    values (
        p_call, p_parent_table, p_phase, v_started_at, clock_timestamp(), v_outcome,
        case p_phase when 'create' then coalesce(v_changed, 0) else 0 end,
        case p_phase when 'retention' then coalesce(v_changed, 0) else 0 end,
        -- pg_partman appends context, detail and hint of the first error to the message: the rest is context.
        v_sqlstate,
        split_part(v_message, E'\nCONTEXT: ', 1),
        nullif(v_detail, ''),
        nullif(v_hint, ''),
        concat_ws(E'\n', nullif(substr(v_message, length(split_part(v_message, E'\nCONTEXT: ', 1)) + 2), ''), v_context)
    );
    return v_outcome = 'succeeded';
end
$$;
