-- relation: hole
-- uses: partition_range
-- why: between two neighbouring partitions of a set, where none is: from the end of the one to the beginning of the other,
--      which may go on for ever; has_endless says that one of the set does
select
    neighbours.parent,
    neighbours.from_text,
    neighbours.from_at,
    neighbours.from_id,
    neighbours.lower_text as to_text,
    neighbours.lower_at   as to_at,
    neighbours.lower_id   as to_id,
    neighbours.has_endless
from (
    select
        bound.*,
        lag(bound.upper_text) over ordered as from_text,
        lag(bound.upper_at) over ordered   as from_at,
        lag(bound.upper_id) over ordered   as from_id,
        bool_or(bound.is_open_above) over (partition by bound.parent) as has_endless
    from partition_range bound
    where not bound.is_open_below
    window ordered as (partition by bound.parent order by bound.lower_at, bound.lower_id)
) neighbours
where neighbours.from_at < neighbours.lower_at or neighbours.from_id < neighbours.lower_id
