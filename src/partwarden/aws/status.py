"""How each hop of an alert's way stands, from the stack to the last heartbeat, with what would mend it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg

from partwarden import __version__
from partwarden.aws import extension, network, reach
from partwarden.aws.account import aws_errors
from partwarden.aws.cluster import Cluster
from partwarden.aws.hops import Hop
from partwarden.aws.site import Site, client_group, role_on
from partwarden.aws.stacks import Stack
from partwarden.aws.steps import what_failed
from partwarden.aws.subscriptions import subscriptions
from partwarden.database import connect, quoted
from partwarden.errors import PartwardenError
from partwarden.install import installed_version, is_up_to_date
from partwarden.schedule import scheduled

_ALARMS = ("heartbeat", "errors", "dead-letters")
_SILENT_MINUTES = 3
_DEPLOY = "partwarden aws deploy"
_CUSTOM_DNS = "rds.custom_dns_resolution"


def status(site: Site, *, cron_database: str | None = None) -> list[Hop]:
    """Every hop, in the order in which an alert passes it; nothing is changed.

    A hop that can't be looked at is ``unknown`` and does not keep the others from being looked at. Without a login in
    the site, those of the database are ``skipped``.
    """
    stack = site.stack()
    if stack is None:
        there = f"there is no stack {site.stack_name} in {site.account}"
        return [Hop("stack", "broken", there, f"{_DEPLOY}, or name it with --stack-name")]
    hops = [_stack(stack)]
    hops += _in_database(site, stack, cron_database)
    hops += _looked("role", lambda: _role(site, stack))
    hops += _looked("security group", lambda: _group(site, stack))
    hops += _looked("endpoints", lambda: _endpoints(site, stack))
    hops += _looked("function", lambda: _function(site, stack))
    hops += _looked("subscribers", lambda: _subscribers(site, stack))
    hops += _looked("alarms", lambda: _alarms(site, stack))
    return hops


def _looked(name: str, look: Callable[[], Iterator[Hop]]) -> list[Hop]:
    try:
        return list(look())
    except (PartwardenError, psycopg.Error) as failure:
        problem, remedy = what_failed(failure)
        return [Hop(name, "unknown", problem, remedy)]


def _stack(stack: Stack) -> Hop:
    said = f"{stack.name} is {stack.status}" + (f": {stack.reason}" if stack.reason else "")
    if stack.is_healthy:
        return Hop("stack", "ok", said)
    if stack.is_busy:
        return Hop("stack", "waiting", said, "wait until CloudFormation has done")
    return Hop("stack", "broken", said, f"{_DEPLOY} brings it up again")


def _in_database(site: Site, stack: Stack, cron_database: str | None) -> list[Hop]:
    names = ("aws_lambda", "partwarden", "jobs", "heartbeat", "outbox")
    if site.dsn is None:
        return [Hop(name, "skipped", "no login to the database was named") for name in names]
    hops = _looked("aws_lambda", lambda: _extension(site))
    if hops[0].state == "unknown":  # then the others would say the same
        return hops
    hops += _looked("partwarden", lambda: _installed(site))
    hops += _looked("jobs", lambda: _jobs(site, stack, cron_database))
    hops += _looked("heartbeat", lambda: _heartbeat(site))
    hops += _looked("outbox", lambda: _outbox(site))
    return hops


def _extension(site: Site) -> Iterator[Hop]:
    with connect(site.login()) as connection:
        found = extension.look(connection)
    where = f"in database {found.database}"
    if not found.is_there:
        yield Hop("aws_lambda", "broken", f"is not there {where}", "create extension aws_lambda cascade;")
    elif not found.is_granted:
        role = quoted(found.role)
        yield Hop(
            "aws_lambda",
            "broken",
            f"role {found.role} may not call it {where}",
            f"grant usage on schema aws_commons, aws_lambda to {role}; "
            f"grant execute on all functions in schema aws_commons, aws_lambda to {role};",
        )
    else:
        yield Hop("aws_lambda", "ok", f"role {found.role} may call it {where}")


def _installed(site: Site) -> Iterator[Hop]:
    with connect(site.login()) as connection:
        version = installed_version(connection)
        if version is None:
            yield Hop("partwarden", "broken", "is not installed", "partwarden install DSN")
        elif not is_up_to_date(connection):
            yield Hop(
                "partwarden", "broken", f"version {version} is there, this is {__version__}", "partwarden install DSN"
            )
        else:
            yield Hop("partwarden", "ok", f"version {version} is there")


def _jobs(site: Site, stack: Stack, cron_database: str | None) -> Iterator[Hop]:
    jobs = {job.kind: job for job in scheduled(site.login(), cron_database=cron_database)}
    monitor = jobs.get("monitor")
    arns = [stack.output("FunctionArn"), stack.output("TopicArn")]
    if monitor is None:
        yield Hop("jobs", "broken", "this role has no monitor of this database in pg_cron", _DEPLOY)
    elif not all(f"'{arn}'" in monitor.command for arn in arns):
        yield Hop("jobs", "broken", f"{monitor.name} does not call this stack's function: {monitor.command}", _DEPLOY)
    elif idle := [job.name for job in jobs.values() if not job.active]:
        yield Hop("jobs", "broken", f"{', '.join(idle)} is switched off", _DEPLOY)
    else:
        yield Hop("jobs", "ok", ", ".join(f"{job.name} ({job.schedule})" for job in jobs.values()))


def _heartbeat(site: Site) -> Iterator[Hop]:
    with connect(site.login()) as connection:
        if connection.execute("select to_regclass('partwarden.heartbeat')").fetchone() == (None,):
            yield Hop("heartbeat", "broken", "this version does not send any", "partwarden install DSN")
            return
        row = connection.execute(
            """
            select last_heartbeat::timestamptz(0)::text, last_error, setting.heartbeat,
                   coalesce(last_heartbeat > clock_timestamp() - %s * interval '1 minute', false)
            from partwarden.heartbeat cross join partwarden.setting
            """,
            (_SILENT_MINUTES,),
        ).fetchone()
    assert row is not None
    last, error, is_on, is_recent = row
    said = f"the last one was sent at {last}" if last else "none was ever sent"
    if not is_on:
        yield Hop("heartbeat", "broken", "is switched off", "update partwarden.setting set heartbeat = true;")
    elif error or not is_recent:
        why = f": {error}" if error else ""
        yield Hop("heartbeat", "broken", said + why, "partwarden aws test-alert finds the hop that is broken")
    else:
        yield Hop("heartbeat", "ok", said)


def _outbox(site: Site) -> Iterator[Hop]:
    with connect(site.login()) as connection:
        row = connection.execute(
            """
            select count(*), count(*) filter (where last_error is not null),
                   (array_agg(last_error order by number) filter (where last_error is not null))[1]
            from partwarden.notification where delivered_at is null
            """
        ).fetchone()
    assert row is not None
    waiting, failed, error = row
    if failed:
        yield Hop(
            "outbox",
            "broken",
            f"{waiting} notifications wait; the first that could not be delivered: {error}",
            "partwarden aws test-alert tries again at once, and says more",
        )
    else:
        yield Hop("outbox", "ok", f"{waiting} wait to be delivered" if waiting else "all is delivered")


def _role(site: Site, stack: Stack) -> Iterator[Hop]:
    cluster = site.cluster()
    role = role_on(cluster, stack) or cluster.lambda_role
    if role is None:
        yield Hop("role", "broken", f"{cluster} has none for aws_lambda", _DEPLOY)
    elif role.status != "ACTIVE":
        yield Hop("role", "waiting", f"{role.arn} is {role.status} on {cluster}", "wait a minute or two")
    elif role != role_on(cluster, stack):
        yield Hop(
            "role", "ok", f"{cluster} has {role.arn}, not this stack's; it has to be allowed to invoke the function"
        )
    else:
        yield Hop("role", "ok", f"{cluster} has {role.arn}")


def _group(site: Site, stack: Stack) -> Iterator[Hop]:
    cluster = site.cluster()
    group = client_group(stack)
    state = cluster.group_status(group) if group is not None else None
    if state is None:
        yield Hop("security group", "broken", f"{cluster} does not have {group}", _DEPLOY)
    elif state != "active":
        yield Hop("security group", "waiting", f"{group} is {state} on {cluster}", "wait a minute or two")
    else:
        yield Hop("security group", "ok", f"{cluster} has {group}")


def _endpoints(site: Site, stack: Stack) -> Iterator[Hop]:
    cluster = site.cluster()
    has = network.look(site.account, cluster.vpc)
    group = client_group(stack)
    carried = {each for each, status in cluster.security_groups if status == "active"}
    for service, whose, clients in (("lambda", "the database", carried), ("sns", "the function", {group})):
        name = f"endpoint for {service}"
        there = has.endpoint(service)
        if there is None:
            yield (
                Hop(name, "ok", f"{cluster.vpc} has none: {whose} needs another way out, a NAT gateway")
                if _goes_out(stack)
                else Hop(name, "broken", f"{cluster.vpc} has none", _DEPLOY)
            )
            continue
        blocked = reach.reaches(site.account, {each for each in clients if each}, there.groups, has.cidrs)
        if there.state != "available":
            yield Hop(
                name, "waiting" if there.state == "pending" else "broken", f"{there.id} is {there.state}", _DEPLOY
            )
        elif blocked is not None:
            yield Hop(name, "broken", f"{whose} does not reach {there.id}: {blocked}", _DEPLOY)
        elif not (has.has_dns_support and has.has_dns_hostnames):
            yield Hop(
                name,
                "broken",
                f"names are not resolved to {there.id} in {cluster.vpc}",
                f"aws ec2 modify-vpc-attribute --vpc-id {cluster.vpc} --enable-dns-hostnames '{{\"Value\":true}}'",
            )
        else:
            yield Hop(name, "ok", f"{whose} reaches {there.id}")
    if not cluster.is_cluster and has.endpoint("lambda") is not None:
        yield from _own_names(site, cluster)


def _goes_out(stack: Stack) -> bool:
    return stack.parameters.get("CreateLambdaEndpoint") == "false"


def _own_names(site: Site, cluster: Cluster) -> Iterator[Hop]:
    """An instance (no cluster) asks the VPC for names only when it is told to."""
    if cluster.parameter_group is None:
        return
    with aws_errors(f"could not read parameter group {cluster.parameter_group}"):
        pages = site.account.client("rds").get_paginator("describe_db_parameters")
        values = [
            each.get("ParameterValue")
            for page in pages.paginate(DBParameterGroupName=cluster.parameter_group, Source="user")
            for each in page["Parameters"]
            if each.get("ParameterName") == _CUSTOM_DNS
        ]
    if values != ["1"]:
        yield Hop(
            "names",
            "broken",
            f"{cluster} does not resolve names in its VPC, so it may not find the endpoint",
            f"set {_CUSTOM_DNS} = 1 in a parameter group of your own (it has {cluster.parameter_group}), and reboot it",
        )
    else:
        yield Hop("names", "ok", f"{cluster} resolves names in its VPC")


def _function(site: Site, stack: Stack) -> Iterator[Hop]:
    arn = stack.output("FunctionArn")
    with aws_errors(f"could not look at the function {arn}"):
        found = site.account.client("lambda").get_function_configuration(FunctionName=arn)
    state = found.get("State", "Active")
    if state in {"Active", "Inactive"}:
        yield Hop("function", "ok", f"{found['FunctionName']} is {state.lower()}")
    else:
        why = found.get("StateReason", "")
        yield Hop("function", "broken", f"{found['FunctionName']} is {state.lower()}: {why}", _DEPLOY)


def _subscribers(site: Site, stack: Stack) -> Iterator[Hop]:
    there = subscriptions(site.account, stack.output("TopicArn"))
    if not there:
        yield Hop("subscribers", "broken", "nobody is told", f"{_DEPLOY} asks the stack's addresses anew to confirm")
        return
    if confirmed := [each.endpoint for each in there if each.is_confirmed]:
        yield Hop("subscribers", "ok", f"{', '.join(confirmed)} is told")
    if waiting := [each.endpoint for each in there if not each.is_confirmed]:
        yield Hop(
            "subscribers",
            "waiting",
            f"{', '.join(waiting)} has not confirmed",
            "open the link in the message 'AWS Notification - Subscription Confirmation'; SNS forgets it after 2 days",
        )


def _alarms(site: Site, stack: Stack) -> Iterator[Hop]:
    names = [f"{stack.name}-{each}" for each in _ALARMS]
    with aws_errors(f"could not look at the alarms of stack {stack.name}"):
        found = site.account.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"]
    for alarm in found:
        state = alarm.get("StateValue", "INSUFFICIENT_DATA")
        said = f"{alarm['AlarmName']} is {state}"
        if state == "ALARM":
            yield Hop("alarms", "broken", said, alarm.get("AlarmDescription"))
        else:
            yield Hop("alarms", "ok", said)
