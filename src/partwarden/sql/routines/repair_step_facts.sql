create function partwarden.repair_step_facts(p_call bigint, p_facts jsonb, p_step jsonb, p_repair jsonb)
returns jsonb
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- One interval of a repair, together with what has to be known of its set, call and record.
select p_facts || p_step || jsonb_build_object('call', p_call, 'repair', p_repair)
$$;
