create function partwarden.note_action(
    p_actor text, p_action text, p_object text, p_detail jsonb default '{}', p_outcome text default 'done',
    p_began_as bigint default null)
returns bigint
language sql
set search_path = pg_catalog, pg_temp
as $$
-- Puts on record what somebody did; the number of the record.
insert into partwarden.audit (actor, action, object, detail, outcome, began_as)
values (coalesce(nullif(btrim(p_actor), ''), session_user), p_action, p_object, jsonb_strip_nulls(p_detail), p_outcome, p_began_as)
returning id;
$$;
