create function partwarden.most_to_move(p_parent_table text, p_default_bytes bigint)
returns bigint
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- How many rows maintain() may move out of a default partition of that size, by the set's policy or else the setting.
-- Each interval that is drained reads the default partition, and everybody waits meanwhile: what is small has few rows in
-- the way, and few others besides.
begin
    return (
        select case coalesce(
                (select set_policy.repair from partwarden.set_policy where set_policy.parent_table = p_parent_table),
                setting.repair)
            when 'always' then 9223372036854775806
            when 'small' then case when p_default_bytes <= 64 * 1024 * 1024 then setting.repair_rows else 0 end
            else 0
        end
        from partwarden.setting
    );
end
$$;
