create function partwarden.drain_plan(
    p_parent regclass, p_interval text default null, p_from text default null, p_to text default null,
    p_most integer default 200)
returns table (number integer, lower_bound text, upper_bound text, child name, rows bigint, note text,
               distance integer)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set row_security = off
as $$
-- The partitions that have to be made for the rows of a default partition, in order, and with rows = 0 those that would
-- otherwise be missing between them and the ones that are there: pg_partman counts from the last one. Rows that stay are
-- told in lines without a child, with the lowest and the highest of them as bounds, and why in the note.
--
-- distance counts from the partitions that are there: made in its order, no hole is left wherever it ends.
--
-- p_from and p_to are times, or ids; p_most limits how many partitions are made. It reads the default partition once.
#variable_conflict use_column
declare
    v_set    record;
    v_sides  integer[];
    v_far    integer[];
    v_lowers text[];
    v_uppers text[];
    v_names  name[];
    v_notes  text[];
    v_rows   bigint[];
    v_keep   boolean[];
    v_nulls  bigint;
    v_others bigint;
    v_lowest text;
    v_highest text;
begin
    v_set := partwarden.drain_set(p_parent, p_interval);
    select
        array_agg(candidate.side order by place), array_agg(candidate.distance order by place),
        array_agg(candidate.lower_bound order by place), array_agg(candidate.upper_bound order by place),
        array_agg(candidate.child order by place),
        array_agg(case when relation.oid is not null
                       then format('the name %s is taken by another relation', relation.oid::regclass)
                       -- Where clocks are set back, an hour comes twice; pg_partman makes a partition for the first.
                       when candidate.is_again
                       then format('the name %I is that of an earlier partition', candidate.child) end order by place)
    into v_sides, v_far, v_lowers, v_uppers, v_names, v_notes
    from (
        select listed.*, row_number() over (partition by child order by place) > 1 as is_again
        from partwarden.drain_candidates(p_parent, p_interval, p_from, p_to, p_most)
            with ordinality as listed (side, distance, lower_bound, upper_bound, child, place)
    ) candidate
    left join pg_class relation
        on relation.relname = candidate.child and relation.relnamespace = quote_ident(v_set.schema)::regnamespace
        -- Those of an interrupted drain are ours.
        and not exists (
            select from pg_constraint
            where conrelid = relation.oid and conname = 'partwarden_drain_bound');
    v_lowers := coalesce(v_lowers, '{}');
    v_uppers := coalesce(v_uppers, '{}');

    execute format(
        'with candidate as (
             select place, lower_bound::%1$s as lower_bound, upper_bound::%1$s as upper_bound
             from unnest($1, $2) with ordinality as given (lower_bound, upper_bound, place)
         ), threshold as (
             select array_agg(distinct edge order by edge) as edges
             from (select lower_bound as edge from candidate union all select upper_bound from candidate) listed
         ), counted as (
             select
                 width_bucket(%2$I, (select edges from threshold)) as bucket,
                 %2$I is null as is_null, count(*) as rows, min(%5$s) as lowest, max(%5$s) as highest
             from %3$s
             where %4$s
             group by 1, 2
         ), placed as (
             select counted.*, candidate.place
             from counted
             left join candidate on candidate.lower_bound = (select edges from threshold)[counted.bucket]
         )
         select
             (select array_agg(coalesce(placed.rows, 0) order by candidate.place)
              from candidate left join placed on placed.place = candidate.place),
             (select sum(rows) from placed where is_null),
             (select sum(rows) from placed where place is null and not is_null),
             (select min(lowest)::text from placed where place is null and not is_null),
             (select max(highest)::text from placed where place is null and not is_null)',
        v_set.control_type, v_set.control, v_set.default_partition,
        -- Only what is asked for is read.
        case when p_from is null and p_to is null or cardinality(v_lowers) = 0 then 'true'
             else format('%1$I >= %2$L::%4$s and %1$I < %3$L::%4$s', v_set.control,
                 v_lowers[1], v_uppers[cardinality(v_uppers)], v_set.control_type) end,
        -- Older servers have no min() of uuid, whose text sorts in the same way.
        format(case v_set.control_type when 'uuid' then '%I::text' else '%I' end, v_set.control))
    into v_rows, v_nulls, v_others, v_lowest, v_highest
    using v_lowers, v_uppers;

    -- The nearest ones first, as many as may be made; then nothing beyond the last that has rows.
    select array_agg(chosen.is_wanted order by chosen.place)
    into v_keep
    from (
        select
            place,
            is_near and has_a_use as is_wanted
        from (
            select
                listed.*,
                row_number() over (order by not listed.has_a_use, listed.distance, listed.place) <= p_most as is_near
            from (
                select
                    place, side, distance, note,
                    note is null and (rows > 0 or side <> 0
                        and distance < max(distance) filter (where rows > 0 and note is null) over (partition by side))
                        as has_a_use
                from unnest(v_sides, v_far, v_rows, v_notes) with ordinality as given (side, distance, rows, note, place)
            ) listed
        ) ranked
    ) chosen;

    return query
    select
        (row_number() over (order by given.place))::integer,
        given.lower_bound, given.upper_bound, given.child, given.rows, null::text, given.distance
    from unnest(v_lowers, v_uppers, v_names, v_rows, v_keep, v_far) with ordinality
        as given (lower_bound, upper_bound, child, rows, is_wanted, distance, place)
    where given.is_wanted
    order by given.place;

    return query
    select
        null::integer, given.lower_bound, given.upper_bound, null::name, given.rows,
        coalesce(given.note, format('more than %s partitions would have to be made', p_most)), null::integer
    from unnest(v_lowers, v_uppers, v_rows, v_keep, v_notes) as given (lower_bound, upper_bound, rows, is_wanted, note)
    where not given.is_wanted and given.rows > 0;

    if v_nulls > 0 then
        return query select null::integer, null::text, null::text, null::name, v_nulls,
            format('%s is null', quote_ident(v_set.control)), null::integer;
    end if;
    if v_others > 0 then
        return query select null::integer, v_lowest, v_highest, null::name, v_others,
            format('over %s intervals away from the partitions that are there', p_most), null::integer;
    end if;
end
$$;
comment on function partwarden.drain_plan(regclass, text, text, text, integer) is
    'The partitions to be made for the rows of a default partition, and the rows that stay.';
