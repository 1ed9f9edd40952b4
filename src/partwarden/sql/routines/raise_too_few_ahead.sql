create function partwarden.raise_too_few_ahead(p_name text, p_edge text, p_last text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- The set's partitions do not reach as far as premake asks, though pg_partman said nothing.
begin
    if p_edge is distinct from p_last then
        raise exception 'the partitions of % have a gap: they end at %, and go on up to %',
            p_name, coalesce(p_edge, 'an earlier point'), p_last
            using errcode = 'object_not_in_prerequisite_state',
                hint = 'Does another table bear the name of the partition that is missing?';
    end if;
    raise exception 'pg_partman made too few partitions of %: they end at %', p_name, p_edge
        using errcode = 'object_not_in_prerequisite_state';
end
$$;
