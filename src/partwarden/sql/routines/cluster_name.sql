create function partwarden.cluster_name()
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- What a message calls this server: the setting, PostgreSQL's own cluster_name, or its address.
select coalesce(
    (select cluster from partwarden.setting),
    nullif(current_setting('cluster_name'), ''),
    host(inet_server_addr()) || ':' || inet_server_port(),
    'port ' || current_setting('port'))
$$;
