create function partwarden.run_checks(p_only text[] default null)
returns table (check_id text, severity text, object text, summary text, detail jsonb, remedy text,
               since timestamptz, skipped text, partly boolean)
language plpgsql
set search_path = pg_catalog, pg_temp
set jit = off
-- The planner takes every common table expression for one row, and joins thousands by nested loops.
set enable_nestloop = off
as $$
-- Runs every check that this database has the means for, or those that are named. A row is a finding, or, with
-- "skipped" set, says why a check was not done, or not for everything ("partly"): no answer is not a good answer. A
-- check that fails is skipped, and itself a finding.
declare
    v_unmet jsonb;
    v_met   text[];
    v_todo  text[] := '{}';
    v_reason text;
    v_done  text[];
    v_check text;
    v_error text;
begin
    {{with need}}
    select coalesce(jsonb_agg(to_jsonb(need)), '[]') into v_unmet from need;
    v_met := array(select 'pg_partman' where not v_unmet @> '[{"name": "pg_partman"}]');

    for v_check, v_reason, v_done in
        select listed.check_id, string_agg(distinct rtrim(need.reason, ';'), '; '), array_agg(need.done)
        from partwarden.checks() listed
        left join jsonb_to_recordset(v_unmet) as need (name text, reason text, done text) on need.name = any (listed.needs)
        where p_only is null or listed.check_id = any (p_only)
        group by listed.check_id
        order by listed.check_id
    loop
        continue when 'pointless' = any (v_done);
        if v_reason is not null then
            return query select v_check, null::text, null::text, null::text, null::jsonb, null::text, null::timestamptz,
                                v_reason, not 'not' = any (v_done);
        end if;
        if v_reason is null or not 'not' = any (v_done) then
            v_todo := v_todo || v_check;
        end if;
    end loop;
    if cardinality(v_todo) = 0 then
        return;
    end if;
    begin
        return query select * from partwarden.run_statement(partwarden.checks_statement(v_todo, v_met));
        return;
    exception when others then
        null;  -- one of them can't be done; which one, each by itself will show
    end;
    foreach v_check in array v_todo loop
        begin
            return query select * from partwarden.run_statement(partwarden.checks_statement(array[v_check], v_met));
        exception when others then
            get stacked diagnostics v_error = message_text;
            return query select v_check, null::text, null::text, null::text, null::jsonb, null::text, null::timestamptz,
                                v_error, false;
            return query select
                'check-error', 'warning', v_check, format('the check %s could not be done', v_check),
                jsonb_build_object('cause', v_error),
                format('select * from partwarden.run_checks(array[%L]);', v_check), null::timestamptz, null::text, false;
        end;
    end loop;
end
$$;
comment on function partwarden.run_checks(text[]) is 'What is wrong now, and what could not be looked at.';
