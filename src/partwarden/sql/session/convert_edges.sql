create function partwarden.convert_edges(p_facts jsonb, p_margin interval)
returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
set row_security = off
as $$
-- Where the rows of a plain table lie, and where its partitions are to begin. upper_bound is the beginning of the first one
-- that is made: a boundary that comes p_margin from now or later, with no row between it and end_bound, up to which
-- partitions may be made. lower_bound is the last boundary before all rows, so many intervals before; null where there is
-- none. They fit when no row lies beyond upper_bound. Reads the table, unless an index begins with the control column.
declare
    v_kind     text := p_facts ->> 'kind';
    v_premake  integer := (p_facts ->> 'premake')::integer;
    v_oldest   text;
    v_newest   text;
    v_last     text;  -- the last that is no infinity
    v_step     interval;
    v_width    numeric;
    v_offset   numeric := coalesce((p_facts ->> 'offset_id')::numeric, 0);
    v_begin    timestamptz;
    v_begin_id numeric;
    v_end      timestamptz;
    v_near     text;
    v_back     numeric;
    v_edges    jsonb;
begin
    begin
        if v_kind = 'id' then
            v_width := (p_facts ->> 'interval')::numeric;
        else
            v_step := (p_facts ->> 'interval')::interval;
        end if;
    exception when data_exception then
        null;
    end;
    if coalesce(case v_kind when 'id' then v_width <= 1 or p_facts ->> 'interval' !~ '^\d+$' else v_step < interval '1 second' end,
        true)
    then
        raise exception 'could not convert %: % is no interval of column % (%)',
            p_facts ->> 'name', p_facts ->> 'interval', p_facts ->> 'control', p_facts ->> 'control_type'
            using errcode = 'invalid_parameter_value',
                hint = 'A time needs an interval like ''1 day'', a number needs a whole number like 10000.';
    end if;
    if date_trunc('month', v_step) not in (v_step, interval '0') then
        raise exception 'could not convert %: pg_partman''s partitions of % would overlap, since months differ in length',
            p_facts ->> 'name', p_facts ->> 'interval'
            using errcode = 'invalid_parameter_value', hint = 'Take months or days, not both.';
    end if;
    v_oldest := partwarden.convert_extreme(p_facts, 'asc', null, null);
    v_newest := partwarden.convert_extreme(p_facts, 'desc', null, null);
    v_edges := jsonb_build_object('oldest', v_oldest, 'newest', v_newest, 'has_nulls', partwarden.convert_has_nulls(p_facts));

    if v_kind = 'id' then
        if 'NaN' in (v_oldest, v_newest) or 'Infinity' in (v_oldest, v_newest) or v_oldest = '-Infinity' then
            raise exception 'could not convert %: column % holds %, which is no id',
                p_facts ->> 'name', p_facts ->> 'control', v_newest using errcode = 'invalid_parameter_value';
        end if;
        -- While the table is prepared, some more come: let there be room for a fiftieth of an interval.
        v_begin_id := (floor((coalesce(v_newest::numeric, 0) + ceil(v_width / 50) - v_offset) / v_width) + 1) * v_width + v_offset;
        v_back := greatest(ceil((v_begin_id - coalesce(v_oldest::numeric, v_begin_id - 1)) / v_width), 1);
        return v_edges || jsonb_build_object(
            'fits', true, 'intervals', v_back, 'partitions', v_premake + 1,
            'lower_bound', (v_begin_id - v_back * v_width)::text, 'upper_bound', v_begin_id::text,
            'end_bound', (v_begin_id + (v_premake + 3) * v_width)::text,
            'start', trunc(v_begin_id)::text, 'suffix', trunc(v_begin_id - v_back * v_width)::text);
    end if;

    v_last := case when isfinite(partwarden.convert_moment(p_facts, v_newest)) then v_newest
                   else partwarden.convert_extreme(p_facts, 'desc', null, v_newest) end;
    v_begin := partwarden.convert_boundary(v_step, p_facts ->> 'date_trunc_interval', clock_timestamp() + p_margin);
    for v_try in 1 .. 4 loop
        v_end := v_begin + (v_premake + 3) * v_step;
        v_near := partwarden.convert_extreme(p_facts, 'desc',
            partwarden.convert_bound(p_facts, v_begin), partwarden.convert_bound(p_facts, v_end));
        exit when v_near is null;
        v_begin := partwarden.convert_boundary(v_step, p_facts ->> 'date_trunc_interval',
            partwarden.convert_moment(p_facts, case when v_try = 3 then v_last else v_near end));
    end loop;
    if isfinite(partwarden.convert_moment(p_facts, v_oldest)) is not false then
        -- A month has 30 days here, and some more in the calendar.
        v_back := greatest(floor(0.97 * (extract(epoch from v_begin - partwarden.convert_moment(p_facts, v_oldest))
            / extract(epoch from v_step))::numeric) - 1, 1);
        while v_begin - v_back::double precision * v_step > partwarden.convert_moment(p_facts, v_oldest) loop
            v_back := v_back + 1;
        end loop;
        v_back := coalesce(v_back, 1);
        v_edges := v_edges || jsonb_build_object(
            'intervals', v_back,
            'lower_bound', partwarden.convert_bound(p_facts, v_begin - v_back::double precision * v_step),
            'suffix', to_char(v_begin - v_back::double precision * v_step, partwarden.convert_datetime_string(p_facts)));
    end if;
    return v_edges || jsonb_build_object(
        'fits', coalesce(partwarden.convert_moment(p_facts, v_newest) < v_begin, true),
        'upper_bound', partwarden.convert_bound(p_facts, v_begin),
        'end_bound', partwarden.convert_bound(p_facts, v_end),
        'start', v_begin::text,
        -- As create_parent() counts them.
        'partitions', 1 + (
            select count(*) from generate_series(1, v_premake) as number
            where v_begin + number * v_step < clock_timestamp() + v_premake * v_step));
end
$$;
