-- relation: part_config_sub
-- uses: -
-- needs: pg_partman
-- empty: select null::jsonb as config where false
-- why: pg_partman's configuration of sub-partitioning, by the parent above
select to_jsonb(config) as config from {{pg_partman}}.part_config_sub config
