create function partwarden.look_into_default(p_facts jsonb, p_current timestamptz, p_current_id numeric)
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- What there is to be known of a set's default partition before partitions are made: how big it is, and whether rows lie
-- where they have to go (in_the_way: how many, as far as they may be moved). When nothing is due, or it has no file to
-- speak of, it isn't opened at all. Adds due and until, where pg_partman counts from the farthest row in it.
declare
    v_default regclass := (p_facts ->> 'default_partition')::oid;
    v_kind    text := p_facts ->> 'kind';
    v_type    text := format_type((p_facts ->> 'control_type')::oid, -1);
    v_decoder text := p_facts ->> 'decoder';
    v_plain   boolean := (select relkind = 'r' from pg_class where oid = v_default);
    v_bytes   bigint;
    v_due     integer := (p_facts ->> 'due')::integer;
    v_until   jsonb := jsonb_build_object(
        'until', p_facts ->> 'until', 'until_at', p_facts -> 'until_at', 'until_id', p_facts -> 'until_id');
    v_far     text;
    v_far_at  timestamptz;
    v_far_id  numeric;
    v_counted record;
    v_rows    bigint := 0;
    v_facts   jsonb := '{}';
begin
    if exists (select from pg_trigger where tgrelid = v_default and tgname = 'partwarden_drain_note') then
        v_facts := jsonb_build_object('drain', partwarden.drain_state((p_facts ->> 'parent')::oid));
    end if;
    v_bytes := case when v_plain then pg_relation_size(v_default) end;
    if v_bytes = 0 or p_facts ->> 'last_upper_text' is null then
        return v_facts || jsonb_build_object('default_bytes', v_bytes);
    end if;
    if not (p_facts ->> 'ignores_default')::boolean then
        execute format('select %1$I::text from %2$s where %1$I >= %3$L::%4$s order by %1$I desc limit 1',
            p_facts ->> 'control', v_default, p_facts ->> 'last_upper_text', v_type)
        into v_far;
        if v_far is not null then
            case v_kind
                when 'id' then v_far_id := trunc(v_far::numeric);
                when 'epoch' then v_far_at := to_timestamp(v_far::numeric / (p_facts ->> 'epoch_unit')::numeric);
                when 'encoded' then execute format('select %s($1)', v_decoder) into v_far_at using v_far;
                when 'time' then v_far_at := v_far::timestamptz;
                else null;
            end case;
            select counted.* into v_counted
            from partwarden.count_due(p_facts, greatest(p_current, v_far_at), greatest(p_current_id, v_far_id)) counted;
            v_due := v_counted.due;
            v_until := jsonb_build_object(
                'until', v_counted.until_text, 'until_at', v_counted.until_at, 'until_id', v_counted.until_id);
        end if;
    end if;
    if v_due > 0 then
        execute format('select count(*) from (
                select from %1$s where %2$I >= %3$L::%5$s and %2$I < %4$L::%5$s limit %6$s
            ) found',
            v_default, p_facts ->> 'control', p_facts ->> 'last_upper_text', v_until ->> 'until', v_type,
            partwarden.most_to_move(p_facts ->> 'parent_table', v_bytes) + 1)
        into v_rows;
    end if;
    return v_facts || v_until || jsonb_build_object(
        'default_bytes', v_bytes, 'due', v_due, 'in_the_way', v_rows,
        -- pg_partman need not look for the farthest row itself, under its locks.
        'may_ignore_default', v_far is null);
end
$$;
