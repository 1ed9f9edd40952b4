create function partwarden.swap_refuse_changed(p_parent regclass)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- Raises object_not_in_prerequisite_state when what has been copied so far is worth nothing any more: the default partition
-- was truncated, rewritten or replaced, or the columns differ. The drain then begins again.
declare
    v_swap      record := partwarden.swap_names(p_parent);
    v_default   regclass := (select partdefid from pg_partitioned_table where partrelid = p_parent);
    v_why       text;
    v_truncated boolean;
begin
    execute format('select exists (select from %s where sign = 0)', v_swap.log) into v_truncated;
    if v_truncated then
        v_why := 'was truncated';
    elsif obj_description(v_swap.chunks, 'pg_class') is distinct from pg_relation_filenode(v_default)::text then
        v_why := 'was rewritten';
    elsif (
        select count(distinct columns) <> 1
        from (
            select array_agg(row(attname, atttypid, atttypmod)::text order by attname) as columns
            from pg_attribute
            where attrelid in (v_default, v_swap.rest) and attnum > 0 and not attisdropped
            group by attrelid
        ) compared
    ) then
        v_why := 'got other columns';
    end if;
    if v_why is not null then
        raise exception 'the default partition of % % while it was being copied', p_parent, v_why
            using errcode = 'PW001', hint = 'Drain again: it begins anew.';
    end if;
end
$$;
