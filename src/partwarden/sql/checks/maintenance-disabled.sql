-- check: maintenance-disabled
-- severity: warning
-- needs: pg_partman
-- uses: managed_parent, partman
-- why: the set is configured and its automatic maintenance is switched off: every job passes it by
select
    'warning'                                                                      as severity,
    managed_parent.parent::regclass::text                                          as object,
    format('automatic maintenance of %s is off', managed_parent.parent::regclass)  as summary,
    jsonb_build_object('cause', 'Somebody set automatic_maintenance to "off", perhaps for a repair that is long over.') as detail,
    format('update %I.part_config set automatic_maintenance = ''on'' where parent_table = %L;',
        partman.schema, managed_parent.config ->> 'parent_table')                  as remedy,
    null::timestamptz                                                              as since
from managed_parent
cross join partman
where managed_parent.config ->> 'automatic_maintenance' <> 'on'
