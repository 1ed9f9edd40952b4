create function partwarden.repair_plan(p_facts jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- The partitions to be made for rows that are in the way, and those before them: from the end of the last partition to
-- where pg_partman is going to make the last one now.
declare
    v_parent regclass := (p_facts ->> 'parent')::oid;
    v_steps  jsonb;
    v_stays  text;
begin
    perform partwarden.refuse_drain(v_parent);
    select
        jsonb_agg(to_jsonb(planned) order by planned.number) filter (where planned.child is not null),
        min(planned.note) filter (where planned.child is null)
    into v_steps, v_stays
    from partwarden.drain_plan(v_parent, null,
        coalesce(p_facts ->> 'last_upper_at', p_facts ->> 'last_upper_id'), null,
        (p_facts ->> 'due')::integer) planned;
    if v_stays is not null or v_steps is null then
        raise exception 'could not drain %: %', p_facts ->> 'name', coalesce(v_stays, 'no partition can be made for them')
            using errcode = 'object_not_in_prerequisite_state',
                hint = format('partwarden drain %s --dry-run', p_facts ->> 'name');
    end if;
    return v_steps;
end
$$;
