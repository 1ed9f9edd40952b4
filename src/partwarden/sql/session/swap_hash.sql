create function partwarden.swap_hash(p_table regclass)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- An expression for the hash of a row of this table, whatever the order of its columns in another; of the row as text
-- where a column's type has no hash (json, xml, point).
declare
    v_columns text;
    v_nulls   text;
begin
    select
        string_agg(quote_ident(attname), ', ' order by attname),
        string_agg(format('null::%s', format_type(atttypid, atttypmod)), ', ' order by attname)
    into v_columns, v_nulls
    from pg_attribute
    where attrelid = p_table and attnum > 0 and not attisdropped;
    begin
        execute format('select hash_record_extended(row(%s), 0)', v_nulls);
        return format('hash_record_extended(row(%s), 0)', v_columns);
    exception when undefined_function then
        return format('hashtextextended(row(%s)::text, 0)', v_columns);
    end;
end
$$;
