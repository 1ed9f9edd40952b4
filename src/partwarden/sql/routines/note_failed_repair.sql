create function partwarden.note_failed_repair(p_call bigint, p_parent_table text, p_repair jsonb, p_outcome jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Keeps that a repair failed, and returns the error as that of the set's maintenance.
begin
    if p_repair is null then
        insert into partwarden.repair (maintenance_id, parent_table, partitions, rows_moved, note)
        values (p_call, p_parent_table, 0, 0, p_outcome ->> 'message');
    else
        update partwarden.repair set note = p_outcome ->> 'message' where id = (p_repair #>> '{}')::bigint;
    end if;
    return p_outcome || jsonb_build_object('message',
        'rows in the default partition are in the way, and could not be moved: ' || (p_outcome ->> 'message'));
end
$$;
