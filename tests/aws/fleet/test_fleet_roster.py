"""Who is in the fleet, by Parameter Store as the article has it, and by tags in RDS."""

from __future__ import annotations

from typing import Any

from partwarden.aws.account import Account
from partwarden.aws.fleet.member import Member
from partwarden.aws.fleet.roster import from_parameters, from_tags

PATH = "/check_cron_job_status"
TOPIC = "arn:aws:sns:us-east-1:123456789012:dbas"


def put(account: Account, **parameters: str) -> None:
    for name, value in parameters.items():
        account.client("ssm").put_parameter(Name=f"{PATH}/{name.replace('__', '/')}", Value=value, Type="String")


def test_articles_four_parameters_are_a_member(moto_account: Account) -> None:
    put(
        moto_account,
        orders__db_host="orders.x.eu-central-1.rds.amazonaws.com",
        orders__db_port="5433",
        orders__cron_hist_in_minutes="60",
        orders__sns_topic=TOPIC,
        shop__db_host="shop",
        shop__databases="app, audit archive",
    )
    assert from_parameters(moto_account.client("ssm"), PATH).members == (
        Member("orders", "orders.x.eu-central-1.rds.amazonaws.com", 5433, (), TOPIC),
        Member("shop", "shop", 5432, ("app", "audit", "archive")),
    )


def test_more_clusters_than_a_page_has_parameters_are_all_read(moto_account: Account) -> None:
    for number in range(13):
        put(moto_account, **{f"c{number:02}__db_host": "h", f"c{number:02}__db_port": "5432"})
    assert len(from_parameters(moto_account.client("ssm"), PATH).members) == 13


def test_member_of_whom_nonsense_is_said_is_told_of_and_costs_the_others_nothing(moto_account: Account) -> None:
    put(
        moto_account,
        a__db_host="a",
        a__db_port="a port",
        b__sns_topic=TOPIC,
        c__db_host="c",
        c__sns_topic="a mail address",
        d__db_host="d",
        d__password="p",
        loose="x",
    )
    roster = from_parameters(moto_account.client("ssm"), PATH)
    problems = {each.name: each.problem for each in roster.members}
    assert problems == {
        "a": f"{PATH}/a has a db_port that is no port: a port",
        "b": f"{PATH}/b has no db_host",
        "c": f"{PATH}/c has an sns_topic that is not the ARN of a topic: a mail address",
        "d": None,
    }
    assert sorted(roster.strange) == [f"{PATH}/d/password", f"{PATH}/loose"]


def test_tags_name_clusters_and_instances_that_stand_alone(moto_account: Account) -> None:
    rds = moto_account.client("rds")
    tags: list[Any] = [
        {"Key": "partwarden:fleet", "Value": "prod"},
        {"Key": "partwarden:databases", "Value": "app audit"},
        {"Key": "partwarden:topic", "Value": TOPIC},
    ]
    secret: Any = {"MasterUsername": "postgres", "MasterUserPassword": "not-a-real-one"}
    rds.create_db_cluster(DBClusterIdentifier="aurora", Engine="aurora-postgresql", Tags=tags, **secret)
    rds.create_db_instance(
        DBInstanceIdentifier="member", DBClusterIdentifier="aurora", Engine="aurora-postgresql",
        DBInstanceClass="db.t4g.medium", Tags=tags,
    )  # fmt: skip
    others: list[Any] = [{"Key": "partwarden:fleet", "Value": "staging"}]
    for name, engine, theirs in (
        ("alone", "postgres", tags[:1]),
        ("untagged", "postgres", []),
        ("staging", "postgres", others),
        ("mysql", "mysql", tags),
    ):
        rds.create_db_instance(
            DBInstanceIdentifier=name, Engine=engine, DBInstanceClass="db.t4g.micro", AllocatedStorage=20, Tags=theirs,
            **secret,
        )  # fmt: skip
    members = from_tags(rds, "prod").members
    assert [(each.name, each.databases, each.topic_arn, each.problem) for each in members] == [
        ("alone", (), None, None),
        ("aurora", ("app", "audit"), TOPIC, None),
    ]
    assert members[1].host == rds.describe_db_clusters()["DBClusters"][0]["Endpoint"]
