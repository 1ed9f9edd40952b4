create function partwarden.convert_facts(p_table regclass, p_wish jsonb)
returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- What converting has to know of a plain table before anything else, together with what is wished. control and kind are null
-- where there is no such column, or none that pg_partman takes. Whatever converting makes beside the table has a name that
-- begins with prefix.
declare
    v_partman name := partwarden.extension_schema('pg_partman');
    v_is_4    boolean;
    v_table   record;
    v_column  record;
begin
    v_is_4 := exists (
        select from pg_proc
        where pronamespace = (select oid from pg_namespace where nspname = v_partman)
          and proname = 'create_parent' and 'p_upsert' = any (proargnames));
    select
        pg_class.oid                             as table,
        nspname                                  as schema,
        relname                                  as table_name,
        format('%I.%I', nspname, relname)        as name,
        nspname || '.' || relname                as parent_table,
        pg_get_userbyid(relowner)                as owner,
        pg_total_relation_size(pg_class.oid)     as bytes,
        pg_relation_size(pg_class.oid)           as heap_bytes,
        nullif(reltuples, -1)::bigint            as rows,
        v_partman                                as partman,
        v_is_4                                   as is_partman_4,
        'partwarden_convert_' || pg_class.oid    as prefix,
        format('%I.%I', nspname, 'partwarden_convert_' || pg_class.oid) as escape
    into v_table
    from pg_class join pg_namespace on pg_namespace.oid = relnamespace
    where pg_class.oid = p_table;
    select
        attname                       as control,
        format_type(atttypid, null)   as control_type,
        not attnotnull                as is_nullable,
        case
            when attgenerated <> '' then null
            when atttypid in ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype) then 'time'
            when atttypid in ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype) then
                case p_wish ->> 'epoch' when 'none' then 'id' else 'epoch' end
            when v_is_4 then null
            when atttypid = 'numeric'::regtype then 'id'
            when atttypid in ('text'::regtype, 'varchar'::regtype, 'uuid'::regtype) then 'encoded'
        end                           as kind,
        case p_wish ->> 'epoch' when 'seconds' then 1 when 'milliseconds' then 1000 when 'microseconds' then 1000000
            when 'nanoseconds' then 1000000000 end as epoch_unit
    into v_column
    from pg_attribute
    where attrelid = p_table and attname = p_wish ->> 'control' and attnum > 0 and not attisdropped;
    return p_wish || to_jsonb(v_table) || to_jsonb(v_column) || jsonb_build_object(
        'encoder', to_regproc(p_wish ->> 'time_encoder')::text, 'decoder', to_regproc(p_wish ->> 'time_decoder')::text);
end
$$;
