-- relation: part_config
-- uses: -
-- needs: pg_partman
-- empty: select null::jsonb as config where false
-- why: pg_partman's configuration as jsonb, because its columns differ by version
select to_jsonb(config) as config from {{pg_partman}}.part_config config
