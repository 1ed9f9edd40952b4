create function partwarden.run_checks()
returns table (check_id text, severity text, object text, summary text, detail jsonb, remedy text,
               since timestamptz, skipped text)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Runs every check that this database has the means for. A row is a finding, or, with "skipped" set, says why a
-- check was not done: no answer is not a good answer. A check that fails is skipped, and itself a finding.
declare
    v_check record;
    v_error text;
begin
    for v_check in select * from partwarden.checks() loop
        check_id := v_check.check_id;
        if v_check.needs is not null and partwarden.extension_schema(v_check.needs) is null then
            skipped := format('needs %s, which is not in this database', v_check.needs);
            return next;
            skipped := null;
            continue;
        end if;
        begin
            return query execute format(
                'select %L, found.*, null::text from partwarden.%I() found', v_check.check_id, v_check.function_name);
        exception when others then
            get stacked diagnostics v_error = message_text;
            skipped := v_error;
            return next;
            skipped := null;
            return query select
                'check-error', 'warning', v_check.check_id, format('the check %s could not be done', v_check.check_id),
                jsonb_build_object('cause', v_error), format('select * from partwarden.%I();', v_check.function_name),
                null::timestamptz, null::text;
        end;
    end loop;
end
$$;
comment on function partwarden.run_checks() is 'What is wrong now, and what could not be looked at.';
