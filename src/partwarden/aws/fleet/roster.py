"""Who is in the fleet: clusters that Parameter Store lists, or that a tag in RDS names."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from partwarden.aws.fleet.member import Member

if TYPE_CHECKING:
    from mypy_boto3_rds import RDSClient
    from mypy_boto3_ssm import SSMClient

ARTICLE_PATH = "/check_cron_job_status"
TAG = "partwarden:fleet"

# cron_hist_in_minutes is the article's: how far back its query looks. The checks look at what is the case now.
_IGNORED = frozenset({"cron_hist_in_minutes"})
_KNOWN = frozenset({"db_host", "db_port", "sns_topic", "databases"}) | _IGNORED
_TOPIC_ARN = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}")
_SEPARATOR = re.compile(r"[\s,]+")


@dataclass(frozen=True)
class Roster:
    """The fleet, and what stands in the list and belongs to nobody."""

    members: tuple[Member, ...]
    strange: tuple[str, ...] = ()


def from_parameters(client: SSMClient, path: str) -> Roster:
    """The clusters that stand below a path, four parameters each: ``<path>/<cluster>/{db_host, db_port, …}``.

    The layout is that of the AWS article's first part. A fifth may be there: ``databases``, with commas or spaces between.
    """
    found: dict[str, dict[str, str]] = defaultdict(dict)
    strange = []
    pages = client.get_paginator("get_parameters_by_path").paginate(Path=path, Recursive=True, WithDecryption=False)
    for page in pages:
        for parameter in page["Parameters"]:
            cluster, _, name = parameter["Name"].removeprefix(path.rstrip("/") + "/").rpartition("/")
            if cluster and name in _KNOWN:
                found[cluster][name] = parameter["Value"].strip()
            else:
                strange.append(parameter["Name"])
    return Roster(tuple(_member(name, f"{path}/{name}", found[name]) for name in sorted(found)), tuple(strange))


def from_tags(client: RDSClient, value: str) -> Roster:
    """The PostgreSQL clusters and instances of RDS with the tag ``partwarden:fleet`` of that value.

    The tags ``partwarden:databases`` and ``partwarden:topic`` say what else there is to say. An instance of a cluster is
    not looked at by itself.
    """
    listed = []
    for page in client.get_paginator("describe_db_clusters").paginate():
        for cluster in page["DBClusters"]:
            endpoint, port = cluster.get("Endpoint"), cluster.get("Port")
            listed.append(
                (cluster["DBClusterIdentifier"], cluster["Engine"], endpoint, port, cluster.get("TagList", []))
            )
    for instances in client.get_paginator("describe_db_instances").paginate():
        for instance in instances["DBInstances"]:
            if "DBClusterIdentifier" not in instance:
                address = instance.get("Endpoint", {})
                host, port = address.get("Address"), address.get("Port")
                listed.append(
                    (instance["DBInstanceIdentifier"], instance["Engine"], host, port, instance.get("TagList", []))
                )
    members = []
    for name, engine, host, port, tags in sorted(listed, key=lambda each: each[0]):
        said = {tag["Key"]: tag["Value"] for tag in tags}
        if said.get(TAG) == value and "postgres" in engine:
            members.append(_member(name, name, _facts_of(host, port, said)))
    return Roster(tuple(members))


def _facts_of(host: str | None, port: int | None, tags: Mapping[str, str]) -> dict[str, str]:
    facts: dict[str, str | None] = {
        "db_host": host,
        "db_port": str(port) if port else None,
        "databases": tags.get("partwarden:databases"),
        "sns_topic": tags.get("partwarden:topic"),
    }
    return {name: value for name, value in facts.items() if value}


def _member(cluster: str, place: str, said: Mapping[str, str]) -> Member:
    """The member; one of which nonsense is said is a member too, so that people are told."""
    host, port, topic = said.get("db_host", ""), said.get("db_port", "5432"), said.get("sns_topic")
    problem = None
    if not host:
        problem = f"{place} has no db_host"
    elif not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        problem = f"{place} has a db_port that is no port: {port}"
    elif topic and not _TOPIC_ARN.fullmatch(topic):
        problem = f"{place} has an sns_topic that is not the ARN of a topic: {topic}"
    return Member(
        name=cluster,
        host=host,
        port=5432 if problem else int(port),
        databases=tuple(name for name in _SEPARATOR.split(said.get("databases", "")) if name),
        topic_arn=None if problem else topic or None,
        problem=problem,
    )
