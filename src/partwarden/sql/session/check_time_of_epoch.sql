create function partwarden.check_time_of_epoch(
    p_parent regclass, p_interval text, p_child name, p_lower text, p_upper text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Where the control column is a number that means a time, pg_partman says each partition's bound a second time, as a time,
-- in a constraint. So a partition that is made here has it too.
declare
    v_set record := partwarden.drain_set(p_parent, p_interval);
begin
    if not v_set.is_managed or v_set.kind <> 'epoch' then
        return;
    end if;
    execute format(
        'alter table %1$I.%2$I add constraint %3$I check (%4$s >= %5$L and %4$s < %6$L)',
        v_set.schema, p_child, p_child || '_partition_check',
        case v_set.epoch_unit when 1 then format('to_timestamp(%I)', v_set.control)
                              else format('to_timestamp((%I/%s)::float)', v_set.control, v_set.epoch_unit) end,
        to_timestamp(p_lower::numeric / v_set.epoch_unit), to_timestamp(p_upper::numeric / v_set.epoch_unit));
end
$$;
