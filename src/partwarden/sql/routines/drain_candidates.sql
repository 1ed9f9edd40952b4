create function partwarden.drain_candidates(
    p_parent regclass, p_interval text, p_from text, p_to text, p_most integer)
returns table (side integer, distance integer, lower_bound text, upper_bound text, child name)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- The partitions that could be made, whether there are rows for them or not: behind the first (side -1), in the holes
-- (0) and ahead of the last (1), at most p_most on each side and in each hole. distance counts from the partitions that
-- are there. With p_from and p_to, only those that lie between them as a whole.
#variable_conflict use_column
declare
    v_set      record;
    v_place    record;
    v_most     integer;
begin
    v_set := partwarden.drain_set(p_parent, p_interval);

    {{with partition_bound; managed_parent: select p_parent::oid as parent, v_set.config as config}}
    select min(lower_at) as first_at, max(upper_at) as last_at, min(lower_id) as first_id, max(upper_id) as last_id
    into v_place
    from partition_bound;
    if v_place.last_at is null and v_place.last_id is null then
        select origin.at as first_at, origin.at as last_at, origin.id as first_id, origin.id as last_id
        into v_place
        from partwarden.first_bound(p_parent, p_interval) as origin;
    end if;
    -- PostgreSQL's calendar ends somewhere.
    v_most := case when v_set.kind = 'id' then p_most
                   else least(p_most, ceil(extract(epoch from interval '2000 years') / extract(epoch from v_set.step))) end;

    return query
    {{with hole; managed_parent: select p_parent::oid as parent, v_set.config as config}}
    select
        candidate.side,
        candidate.distance,
        edges.lower_bound,
        edges.upper_bound,
        partwarden.child_name(v_set.table_name,
            case when v_set.kind = 'id' then trunc(candidate.lower_id)::text
                 else to_char(candidate.lower_at, v_set.datetime_string) end)
    from (
        select
            1 as side,
            number + 1 as distance,
            v_place.last_at + number * v_set.step        as lower_at,
            v_place.last_at + (number + 1) * v_set.step  as upper_at,
            v_place.last_id + number * v_set.width       as lower_id,
            v_place.last_id + (number + 1) * v_set.width as upper_id
        from generate_series(0, v_most - 1) as number
        union all
        select
            -1,
            number,
            v_place.first_at - number * v_set.step,
            v_place.first_at - (number - 1) * v_set.step,
            v_place.first_id - number * v_set.width,
            v_place.first_id - (number - 1) * v_set.width
        from generate_series(1, v_most) as number
        union all
        select
            0,
            0,
            hole.from_at + number * v_set.step,
            least(hole.from_at + (number + 1) * v_set.step, hole.to_at),
            hole.from_id + number * v_set.width,
            least(hole.from_id + (number + 1) * v_set.width, hole.to_id)
        from hole
        cross join generate_series(0, v_most - 1) as number
        where hole.from_at + number * v_set.step < hole.to_at or hole.from_id + number * v_set.width < hole.to_id
    ) candidate
    cross join lateral (
        select
            partwarden.bound_text(v_set.kind, v_set.control_type, v_set.epoch_unit, v_set.encoder,
                candidate.lower_at, candidate.lower_id) as lower_bound,
            partwarden.bound_text(v_set.kind, v_set.control_type, v_set.epoch_unit, v_set.encoder,
                candidate.upper_at, candidate.upper_id) as upper_bound
    ) edges
    -- Where clocks are set back, a column without a time zone has an interval of no length.
    where edges.lower_bound <> edges.upper_bound
      and case when v_set.kind = 'id'
               then (p_from is null or candidate.lower_id >= p_from::numeric)
                   and (p_to is null or candidate.upper_id <= p_to::numeric)
               else (p_from is null or candidate.lower_at >= p_from::timestamptz)
                   and (p_to is null or candidate.upper_at <= p_to::timestamptz)
          end
    order by candidate.lower_at, candidate.lower_id;
end
$$;
