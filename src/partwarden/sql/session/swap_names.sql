create function partwarden.swap_names(
    p_parent regclass,
    out schema name, out steps regclass, out chunks regclass, out log regclass, out stage regclass, out rest regclass,
    out old regclass, out note regproc, out prefix text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- What a swap keeps beside the set while it works; each is null where it is not there (yet, or any more). All names
-- begin with prefix, so that they are known again after an interruption:
--   (prefix)    the partitions that are to be made      _chunk   which pages have been copied, and as of when
--   _log        what has changed since                  _stage   a partitioned table to copy into
--   _rest       the new default partition               _old     the old one, detached
--   _note       the function of the trigger that logs
#variable_conflict use_column
begin
    prefix := 'partwarden_drain_' || p_parent::oid;
    select nspname into schema
    from pg_class join pg_namespace on pg_namespace.oid = relnamespace where pg_class.oid = p_parent;
    steps := to_regclass(format('%I.%I', schema, prefix));
    chunks := to_regclass(format('%I.%I', schema, prefix || '_chunk'));
    log := to_regclass(format('%I.%I', schema, prefix || '_log'));
    stage := to_regclass(format('%I.%I', schema, prefix || '_stage'));
    rest := to_regclass(format('%I.%I', schema, prefix || '_rest'));
    old := to_regclass(format('%I.%I', schema, prefix || '_old'));
    note := to_regproc(format('%I.%I', schema, prefix || '_note'));
end
$$;
