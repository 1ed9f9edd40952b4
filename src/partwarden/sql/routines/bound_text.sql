create function partwarden.bound_text(
    p_kind text, p_control_type text, p_epoch_unit integer, p_encoder text, p_at timestamptz, p_id numeric)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- A bound of a partition as a literal of the control column's type, from a time or an id, as pg_partman computes it.
declare
    v_text text;
begin
    case p_kind
        when 'id' then
            return p_id::text;
        when 'epoch' then
            return (extract(epoch from p_at)::bigint * p_epoch_unit::bigint)::text;
        when 'encoded' then
            execute format('select %s($1)::text', p_encoder) into v_text using p_at;
            return v_text;
        else
            return case p_control_type
                when 'date' then p_at::date::text
                when 'timestamp without time zone' then p_at::timestamp::text
                else p_at::text
            end;
    end case;
end
$$;
