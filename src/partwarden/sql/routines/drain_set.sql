create function partwarden.drain_set(
    p_parent regclass, p_interval text default null,
    out parent regclass, out name text, out parent_table text, out schema name, out table_name name,
    out control name, out control_type text, out kind text, out step interval, out width numeric,
    out epoch_unit integer, out encoder text, out decoder text, out datetime_string text,
    out default_partition regclass, out is_managed boolean, out is_divided_further boolean, out config jsonb)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- What draining has to know of one partition set, managed by pg_partman or, with p_interval, by nobody. Raises what
-- makes it impossible to know.
#variable_conflict use_column
declare
    v_known text;
begin
    select format('%I.%I', nspname, relname), nspname || '.' || relname, nspname, relname
    into name, parent_table, schema, table_name
    from pg_class join pg_namespace on pg_namespace.oid = relnamespace
    where pg_class.oid = p_parent;
    if not exists (select from pg_partitioned_table where partrelid = p_parent) then
        raise exception 'could not drain %: it is not a partitioned table', name
            using errcode = 'wrong_object_type',
                hint = 'Name the parent of the partition set, not its default partition.';
    end if;

    select listed.config into config from partwarden.part_config(parent_table) as listed (config);
    is_managed := config is not null;
    if not is_managed then
        if p_interval is null then
            raise exception 'could not drain %: pg_partman does not manage it, so its interval is not known', name
                using errcode = 'invalid_parameter_value', hint = 'Name it: --interval ''1 day'', or p_interval.';
        end if;
        config := jsonb_build_object('partition_interval', p_interval, 'epoch', 'none', 'premake', 0);
    end if;

    {{with partition_set; managed_parent: select p_parent::oid as parent, config}}
    select
        partition_set.parent, partition_set.control, format_type(partition_set.control_type, null), partition_set.kind,
        partition_set.step, partition_set.width, partition_set.epoch_unit, partition_set.decoder::text,
        partition_set.default_partition, partition_set.partition_interval,
        coalesce(partition_set.datetime_string,
            case when partition_set.step < interval '1 day' then 'YYYYMMDD_HH24MISS' else 'YYYYMMDD' end)
    into parent, control, control_type, kind, step, width, epoch_unit, decoder, default_partition, v_known, datetime_string
    from partition_set;

    if parent is null then
        raise exception 'could not drain %: it is not partitioned by range on one column', name
            using errcode = 'wrong_object_type';
    end if;
    if default_partition is null then
        raise exception 'could not drain %: it has no default partition', name using errcode = 'undefined_table';
    end if;
    if is_managed and p_interval is not null and p_interval is distinct from v_known
        and p_interval::interval is distinct from step
    then
        raise exception 'could not drain % by %: pg_partman manages it by %', name, p_interval, v_known
            using errcode = 'invalid_parameter_value', hint = 'Leave the interval out.';
    end if;
    if kind = 'other' or kind = 'id' and coalesce(width, 0) <= 0 or kind <> 'id' and step is null
        or kind <> 'id' and step <= interval '0'
    then
        raise exception 'could not drain %: % is no interval of column % (%)', name, coalesce(v_known, 'nothing'), control, control_type
            using errcode = 'invalid_parameter_value',
                hint = 'A time needs an interval like ''1 day'', a number needs a number like 10000.';
    end if;
    if kind = 'encoded' then
        encoder := to_regproc(config ->> 'time_encoder')::text;
        if encoder is null or decoder is null then
            raise exception 'could not drain %: its time_encoder or time_decoder is not there', name
                using errcode = 'undefined_function';
        end if;
    end if;
    is_divided_further := false;
    if is_managed then
        execute format('select exists (select from %I.part_config_sub where sub_parent = $1)',
            partwarden.extension_schema('pg_partman'))
        into is_divided_further using parent_table;
    end if;
end
$$;
