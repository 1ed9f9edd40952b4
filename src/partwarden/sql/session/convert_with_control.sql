create function partwarden.convert_with_control(p_definition text, p_control name)
returns text
language plpgsql immutable strict
set search_path = pg_catalog, pg_temp
as $$
-- The definition of an index or a key, as PostgreSQL writes it, with the control column as one more column at its end.
declare
    v_depth integer := 0;
    v_quote text := '';
    v_sign  text;
begin
    for v_place in 1 .. length(p_definition) loop
        v_sign := substr(p_definition, v_place, 1);
        if v_quote <> '' then
            if v_sign = v_quote then
                v_quote := '';
            end if;
        elsif v_sign in ('''', '"') then
            v_quote := v_sign;
        elsif v_sign = '(' then
            v_depth := v_depth + 1;
        elsif v_sign = ')' then
            v_depth := v_depth - 1;
            if v_depth = 0 then
                return format('%s, %I%s', left(p_definition, v_place - 1), p_control, substr(p_definition, v_place));
            end if;
        end if;
    end loop;
end
$$;
