create function partwarden.convert_moment(p_facts jsonb, p_value text)
returns timestamptz
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- The moment that a value of the control column means, which is told as text.
declare
    v_at timestamptz;
begin
    case p_facts ->> 'kind'
        when 'epoch' then
            return to_timestamp(p_value::numeric / (p_facts ->> 'epoch_unit')::integer);
        when 'encoded' then
            execute format('select %s($1::%s)', p_facts ->> 'decoder', p_facts ->> 'control_type')
            into v_at using p_value;
            return v_at;
        else
            return p_value::timestamptz;
    end case;
end
$$;
