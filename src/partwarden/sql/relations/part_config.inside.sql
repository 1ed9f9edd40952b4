-- relation: part_config
-- uses: -
-- why: pg_partman's configuration as jsonb, because its columns differ by version; empty without pg_partman
select config from partwarden.part_config() as listed (config)
