create function partwarden.convert_bound(p_facts jsonb, p_at timestamptz)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- A moment as a literal of the control column's type.
select partwarden.bound_text(p_facts ->> 'kind', p_facts ->> 'control_type', (p_facts ->> 'epoch_unit')::integer,
    p_facts ->> 'encoder', p_at, null)
$$;
