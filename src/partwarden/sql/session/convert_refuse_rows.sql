create function partwarden.convert_refuse_rows(p_parent regclass, p_origin regclass)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Raises an error where a partition has rows other than the one that the set was converted from; nobody can write any more.
declare
    v_filled regclass := partwarden.convert_rows_elsewhere(p_parent, p_origin);
begin
    if v_filled is not null then
        raise exception 'could not undo the conversion of %: % has rows by now', p_parent, v_filled
            using errcode = 'object_not_in_prerequisite_state', hint = 'Nothing has been changed.';
    end if;
end
$$;
