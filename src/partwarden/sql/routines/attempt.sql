create function partwarden.attempt(p_step text, p_parent_table text, p_facts jsonb, p_give_up_at timestamptz)
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Does one step of one set's maintenance, and undoes it if it fails; no error leaves here. Returns its state: 'done', with
-- a result; 'again', when a lock could not be had and there is time left; 'intruded', when rows came where partitions have
-- to go; or 'failed', with the error. A lock that could not be had in time is told with who has it.
declare
    v_result    jsonb;
    v_sqlstate  text;
    v_message   text;
    v_detail    text;
    v_hint      text;
    v_context   text;
    v_blocker   text;
    v_told      text;
begin
    perform partwarden.use_lock_wait();
    case p_step
        when 'look' then v_result := partwarden.look_at_set(p_parent_table, p_facts);
        when 'guard' then perform partwarden.place_guard(p_facts, p_give_up_at);
        when 'validate' then perform partwarden.validate_guard(p_facts);
        when 'guarded steps' then v_result := partwarden.guarded_steps(p_facts);
        when 'guarded step' then perform partwarden.guarded_step(p_facts, p_give_up_at);
        when 'create' then v_result := to_jsonb(partwarden.make_partitions(p_parent_table, p_facts, p_give_up_at));
        when 'verify' then perform partwarden.verify_set(p_parent_table, p_facts);
        when 'unguard' then perform partwarden.remove_guard((p_facts ->> 'parent')::oid);
        when 'plan' then v_result := partwarden.repair_plan(p_facts);
        when 'drain' then v_result := partwarden.repair_step(p_facts, p_give_up_at);
        when 'references' then perform partwarden.validate_references((p_facts ->> 'parent')::oid);
        when 'retention' then v_result := to_jsonb(partwarden.apply_retention(p_parent_table, p_facts, p_give_up_at));
    end case;
    return jsonb_build_object('state', 'done', 'result', v_result);
exception when others then
    get stacked diagnostics
        v_sqlstate = returned_sqlstate,
        v_message = message_text,
        v_detail = pg_exception_detail,
        v_hint = pg_exception_hint,
        v_context = pg_exception_context;
    if v_sqlstate = 'PWGRD' then
        return jsonb_build_object('state', 'intruded');
    end if;
    -- pg_partman raises what it catches anew, without the code of the error.
    if v_sqlstate = '55P03' or v_sqlstate = 'P0001' and v_message like 'canceling statement due to lock timeout%' then
        -- One who has pg_partman's own lock keeps it for long, and from all sets alike.
        if clock_timestamp() < p_give_up_at and v_message not like 'pg_partman''s%' then
            return jsonb_build_object('state', 'again');
        end if;
        v_sqlstate := '55P03';
        perform partwarden.use_lock_wait();  -- what was set has been undone
        v_blocker := partwarden.blocker(coalesce(
            (p_facts ->> 'parent')::oid,
            (select pg_class.oid from pg_class join pg_namespace on pg_namespace.oid = relnamespace
             where nspname = split_part(p_parent_table, '.', 1)::name
               and relname = split_part(p_parent_table, '.', 2)::name)));
        if v_message not like 'pg_partman''s%' then
            v_told := format('could not lock %s in short tries for %s: %s', coalesce(p_facts ->> 'name', p_parent_table),
                (select lock_timeout from partwarden.setting), coalesce(v_blocker, 'whoever held it has gone by now'));
        end if;
    end if;
    return jsonb_build_object(
        'state', 'failed',
        'sqlstate', v_sqlstate,
        -- pg_partman appends context, detail and hint of the first error to the message: the rest is context.
        'message', coalesce(v_told, split_part(v_message, E'\nCONTEXT: ', 1)),
        'detail', nullif(v_detail, ''),
        'hint', coalesce(nullif(v_hint, ''),
            case when v_blocker like 'process %'
                 then format('select pg_terminate_backend(%s);', substring(v_blocker from '\d+')) end),
        'context', concat_ws(E'\n',
            nullif(substr(v_message, length(split_part(v_message, E'\nCONTEXT: ', 1)) + 2), ''), v_context));
end
$$;
