"""Options that the commands for AWS share, and what they come to: the site to work in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from cyclopts import Group, Parameter

from partwarden.cli.grammar import Output, Which
from partwarden.errors import BadOption

if TYPE_CHECKING:
    from partwarden.aws.account import Account
    from partwarden.aws.cluster import Cluster
    from partwarden.aws.site import Site

_where = Group("Where", sort_key=1)
_login = Group("Login to the database", sort_key=2)

Region = Annotated[str | None, Parameter(group=_where, help="AWS region; without it AWS_REGION, or the profile's.")]
Profile = Annotated[
    str | None, Parameter(group=_where, help="Profile of ~/.aws; without it AWS_PROFILE, or the default one.")
]
Yes = Annotated[bool, Parameter(name=["--yes", "-y"], help="Do it without asking.")]
CronDatabase = Annotated[
    str | None,
    Parameter(group=_login, help="The database pg_cron lives in, where the server doesn't say (cron.database_name)."),
]
NoDatabase = Annotated[
    bool,
    Parameter(
        name="--no-database",
        negative=(),
        group=_login,
        help="Leave the database alone: look at, make or take away what is in AWS only.",
    ),
]


@Parameter(name="*")
@dataclass(frozen=True)
class Place:
    """The database server, in which account and region, and its stack."""

    cluster: Annotated[
        str | None, Parameter(group=_where, help="The cluster: Aurora PostgreSQL, or Multi-AZ of RDS.")
    ] = None
    instance: Annotated[
        str | None, Parameter(group=_where, help="Or the instance of RDS for PostgreSQL, which is no cluster's.")
    ] = None
    stack_name: Annotated[
        str | None, Parameter(group=_where, help="The alert stack. [default: partwarden-NAME, of cluster or instance]")
    ] = None
    region: Region = None
    profile: Profile = None


@Parameter(name="*")
@dataclass(frozen=True)
class Entry(Output, Which):
    """How to get into the database: as ``--database`` says, which here is never the only one of a file; else by RDS."""

    user: Annotated[
        str | None,
        Parameter(
            group=_login,
            help="Log in as this user, with a token of IAM's. [default: as --database says, the role that owns the "
            "partitioned tables; else by the secret that RDS keeps for the master user]",
        ),
    ] = None
    dbname: Annotated[
        str, Parameter(group=_login, help="The database that has the partitions, where --database does not say it.")
    ] = "postgres"


def find_site(place: Place, entry: Entry | None, *, must_exist: bool = True) -> Site:
    """The site that was named; the stack says which database it is for, where only the stack was named.

    Without ``entry`` there is no login. ``must_exist``: False where the database server may be gone already.
    """
    from partwarden.aws.account import Account
    from partwarden.aws.site import Site, stack_name_for

    if place.cluster is not None and place.instance is not None:
        raise BadOption("--cluster and --instance were both named", remedy="name the one that the stack is for")
    name = place.cluster or place.instance
    if name is None and place.stack_name is None:
        raise BadOption("no database server was named", remedy="name it with --cluster or --instance")
    account = Account.of(place.region, place.profile)
    stack_name = place.stack_name or stack_name_for(name or "")
    cluster = _find(account, place, stack_name, must_exist=must_exist)
    dsn = None
    if entry is not None:
        named = entry.named()
        dsn = named.dsn if named is not None else None if cluster is None else _dsn(account, cluster, entry)
    return Site(account, stack_name, cluster, dsn)


def _find(account: Account, place: Place, stack_name: str, *, must_exist: bool) -> Cluster | None:
    """The database server by its name; else by what the stack was made for."""
    from partwarden.aws import stacks
    from partwarden.aws.cluster import find_cluster, find_instance
    from partwarden.errors import AwsFailed

    cluster, instance = place.cluster, place.instance
    stack, arn = None, ""
    if (cluster is None and instance is None) or not must_exist:
        stack = stacks.find(account, stack_name)
        arn = stack.parameters.get("DatabaseArn", "") if stack is not None else ""
        kind, _, name = arn.removeprefix(":".join(arn.split(":")[:5]) + ":").partition(":")
        if cluster is None and instance is None:
            cluster, instance = (name, None) if kind == "cluster" else (None, name or None)
            if cluster is None and instance is None:
                raise BadOption(
                    f"stack {stack_name} is not there, or does not say which database it is for",
                    remedy="name that with --cluster or --instance",
                )
    try:
        return find_cluster(account, cluster) if cluster is not None else find_instance(account, instance or "")
    except AwsFailed as failure:
        # The stack's own database may be gone by now, which is no reason to keep the stack.
        is_gone = failure.problem.startswith("there is no ")
        if must_exist or not is_gone or stack is None or not arn.endswith(f":{cluster or instance}"):
            raise
        return None


def _dsn(account: Account, cluster: Cluster, entry: Entry) -> str:
    """A login that RDS lets us make."""
    from partwarden.aws.login import by_secret, by_token

    if entry.user is not None:
        return by_token(account, cluster, entry.user, database=entry.dbname)
    if cluster.managed_secret is not None:
        return by_secret(account, cluster, database=entry.dbname)
    raise BadOption(
        f"it is not said how to log in to {cluster}",
        remedy="--user NAME for a token of IAM's, --database with a connection string or aws-secret:NAME "
        "(docs/aws-credentials.md); --no-database leaves the database alone",
    )
