create function partwarden.silent_until(p_check text, p_object text)
returns timestamptz
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- Until when the silences of the file say nothing of this check of this object; null where none means it. A star in either
-- stands for anything.
begin
    return (
        select max(silence.until)
        from partwarden.silence
        where p_check like partwarden.like_pattern(silence.check_id)
          and p_object like partwarden.like_pattern(silence.object));
end
$$;
