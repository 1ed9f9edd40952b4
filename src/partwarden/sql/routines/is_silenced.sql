create function partwarden.is_silenced(p_check text, p_object text, p_at timestamptz)
returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- Whether a silence of the file's holds for this check of this object: a star in either stands for anything.
begin
    return exists (
        select
        from partwarden.silence
        where silence.until > p_at
          and p_check like partwarden.like_pattern(silence.check_id)
          and p_object like partwarden.like_pattern(silence.object));
end
$$;
