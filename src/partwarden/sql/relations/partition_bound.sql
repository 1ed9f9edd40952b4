-- relation: partition_bound
-- uses: partition_range
-- why: the half-open range of every partition that has an end on both sides
select
    bound.parent,
    bound.child,
    bound.child_kind,
    bound.lower_text,
    bound.upper_text,
    bound.lower_at,
    bound.upper_at,
    bound.lower_id,
    bound.upper_id
from partition_range bound
where not bound.is_open_below and not bound.is_open_above
