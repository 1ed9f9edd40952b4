create function partwarden.run_statement(p_statement text)
returns table (check_id text, severity text, object text, summary text, detail jsonb, remedy text,
               since timestamptz, skipped text, partly boolean)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Runs what checks_statement() made. A row of severity "skipped" says what a check could not look at.
begin
    return query execute format(
        'select found.check_id,
                nullif(found.severity, ''skipped''),
                found.object, found.summary, found.detail, found.remedy, found.since,
                case when found.severity = ''skipped'' then concat_ws('': '', found.summary, found.remedy) end,
                found.severity = ''skipped''
         from (%s) found', p_statement);
end
$$;
