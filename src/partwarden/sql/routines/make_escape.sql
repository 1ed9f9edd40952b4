create function partwarden.make_escape(p_escape text, p_note text, p_seen text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Makes what a constraint that refuses nobody's row is made with: the escape, a function that is declared immutable, and is
-- not: it returns false in a transaction that has set partwarden.guard, and true in every other; and a trigger's function
-- that tells, by a sequence, of rows that came all the same. docs/maintenance.md says why that is sound. Names are as SQL
-- writes them.
begin
    execute format('create sequence %s as bigint', p_seen);
    execute format('comment on sequence %s is ''partwarden: whether rows came that were not expected''', p_seen);
    execute format($function$
create function %s() returns boolean language plpgsql immutable parallel safe
as $body$
-- partwarden: what its constraint comes to, while it is at work.
begin
    return pg_catalog.current_setting('partwarden.guard', true) operator(pg_catalog.=) 'on' is not true;
end
$body$
$function$, p_escape);
    -- Whoever may insert has to be able to evaluate it.
    execute format('grant execute on function %s() to public', p_escape);
    execute format($function$
create function %s() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $body$
-- partwarden: tells of rows that were not expected.
begin
    perform nextval(%L);
    return null;
end
$body$
$function$, p_note, p_seen);
    execute format('revoke all on function %s() from public', p_note);
end
$$;
