create function partwarden.count_due(
    p_facts jsonb, p_current timestamptz, p_current_id numeric,
    out due integer, out until_text text, out until_at timestamptz, out until_id numeric)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- How many partitions pg_partman makes behind the last one if the newest row is at p_current (or p_current_id), and where
-- the last of them ends: counted as run_maintenance() counts, up to a thousand.
declare
    c_most constant integer := 1000;
    v_premake integer := (p_facts ->> 'premake')::integer;
    v_step    interval;
    v_width   numeric;
begin
    due := 0;
    if (p_facts ->> 'is_full')::boolean or p_facts ->> 'last_upper_text' is null then
        return;
    end if;
    if p_facts ->> 'kind' = 'id' then
        v_width := (p_facts ->> 'width')::numeric;
        until_id := (p_facts ->> 'last_upper_id')::numeric;
        while div(until_id - v_width - p_current_id, v_width) < v_premake and due < c_most loop
            until_id := until_id + v_width;
            due := due + 1;
        end loop;
    else
        v_step := (p_facts ->> 'step')::interval;
        until_at := (p_facts ->> 'last_upper_at')::timestamptz;
        while round(extract(epoch from age(until_at - v_step, p_current)) / extract(epoch from v_step)) < v_premake
            and until_at < coalesce((p_facts ->> 'limit_at')::timestamptz, 'infinity')
            and due < c_most
        loop
            until_at := until_at + v_step;
            due := due + 1;
        end loop;
    end if;
    if due > 0 then
        until_text := partwarden.bound_text(p_facts ->> 'kind',
            format_type((p_facts ->> 'control_type')::oid, -1),
            (p_facts ->> 'epoch_unit')::integer,
            (select to_regproc(config ->> 'time_encoder')::text
             from partwarden.part_config(p_facts ->> 'parent_table') as listed (config)),
            until_at, until_id);
    end if;
end
$$;
