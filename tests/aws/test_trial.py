"""A trial environment: what it costs is said, it is made whole, nothing leads into it or out, and nothing of it is left."""

from __future__ import annotations

import http.client
import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from partwarden.aws import prices, stacks, trial
from partwarden.aws.account import Account
from partwarden.aws.cluster import find_cluster
from partwarden.aws.login import by_secret, by_token
from partwarden.aws.stacks import ResourceEvent, find
from partwarden.aws.trial import Wish
from partwarden.cli import main
from partwarden.dsn import AwsOptions, ServerLogin, aws_login
from partwarden.errors import AwsFailed, BadOption
from tests.aws import alert_stack
from tests.aws.alert_stack import Network
from tests.aws.moto_aurora import VERSION, client, mend_aurora

NAME = "partwarden-trial"


@pytest.fixture
def account(moto_account: Account, monkeypatch: pytest.MonkeyPatch) -> Account:
    """An account in moto where Aurora can be made by CloudFormation."""
    mend_aurora(monkeypatch)
    return moto_account


@dataclass(frozen=True)
class Standing:
    account: Account
    made: trial.Trial


def nobody(_: ResourceEvent) -> None:
    """Who does not listen."""


def make(account: Account, **wish: Any) -> trial.Trial:
    return trial.up(account, trial.plan(account, Wish(**wish), nobody), nobody)


def resources(account: Account) -> dict[str, list[str]]:
    """Every thing of the kinds that a trial has, and of those that it could leave behind, in the account."""
    ec2, rds = account.client("ec2"), account.client("rds")
    found = {
        "vpc": [each["VpcId"] for each in ec2.describe_vpcs()["Vpcs"]],
        "subnet": [each["SubnetId"] for each in ec2.describe_subnets()["Subnets"]],
        "group": [each["GroupId"] for each in ec2.describe_security_groups()["SecurityGroups"]],
        "endpoint": [
            each["VpcEndpointId"]
            for each in ec2.describe_vpc_endpoints()["VpcEndpoints"]
            if each["State"].lower() != "deleted"
        ],
        "route table": [each["RouteTableId"] for each in ec2.describe_route_tables()["RouteTables"]],
        "launch template": [each["LaunchTemplateId"] for each in ec2.describe_launch_templates()["LaunchTemplates"]],
        "gateway": [each["InternetGatewayId"] for each in ec2.describe_internet_gateways()["InternetGateways"]],
        "nat": [each["NatGatewayId"] for each in ec2.describe_nat_gateways()["NatGateways"]],
        "host": [
            each["InstanceId"]
            for reservation in ec2.describe_instances()["Reservations"]
            for each in reservation["Instances"]
            if each["State"]["Name"] != "terminated"
        ],
        "cluster": [each["DBClusterIdentifier"] for each in rds.describe_db_clusters()["DBClusters"]],
        "instance": [each["DBInstanceIdentifier"] for each in rds.describe_db_instances()["DBInstances"]],
        "subnet group": [each["DBSubnetGroupName"] for each in rds.describe_db_subnet_groups()["DBSubnetGroups"]],
        "parameter group": [
            each["DBClusterParameterGroupName"]
            for each in rds.describe_db_cluster_parameter_groups()["DBClusterParameterGroups"]
        ],
        "secret": [each["Name"] for each in account.client("secretsmanager").list_secrets()["SecretList"]],
        "role": [each["RoleName"] for each in account.client("iam").list_roles()["Roles"]],
        "profile": [
            each["InstanceProfileName"] for each in account.client("iam").list_instance_profiles()["InstanceProfiles"]
        ],
        "log group": [each["logGroupName"] for each in account.client("logs").describe_log_groups()["logGroups"]],
        "snapshot": [
            each["DBClusterSnapshotIdentifier"]
            for each in rds.describe_db_cluster_snapshots(SnapshotType="manual")["DBClusterSnapshots"]
        ],
    }
    return {kind: sorted(names) for kind, names in found.items() if names}


# What stands


def test_it_is_made_whole_and_removed_whole(account: Account) -> None:
    before = resources(account)
    made = make(account)
    assert (made.cluster, made.database, made.region) == (NAME, "app", "us-east-1")
    after = resources(account)
    assert {kind: len(names) - len(before.get(kind, [])) for kind, names in after.items()} == {
        "vpc": 1, "subnet": 2, "group": 4, "endpoint": 2, "route table": 2, "launch template": 1, "host": 1, "cluster": 1,
        "instance": 1, "subnet group": 1, "parameter group": 1, "secret": 1, "role": 1, "profile": 1, "log group": 1,
    }  # fmt: skip
    assert trial.down(account, NAME, nobody) == ()
    assert resources(account) == before
    assert trial.plan_down(account, NAME) is None


@pytest.fixture(scope="class")
def standing(moto_endpoint: str) -> Iterator[Standing]:
    connection = http.client.HTTPConnection(urlsplit(moto_endpoint).netloc, timeout=10)
    connection.request("POST", "/moto-api/reset")
    assert connection.getresponse().status == 200
    connection.close()
    with pytest.MonkeyPatch.context() as patch:
        mend_aurora(patch)
        patch.setenv("AWS_ENDPOINT_URL", moto_endpoint)
        patch.setattr("partwarden.aws.stacks._POLL_SECONDS", 0.02)
        account = Account.of()
        yield Standing(account, make(account))
        trial.down(account, NAME, nobody)


class TestOneThatStands:
    """One trial environment for all of these, which only look."""

    @pytest.fixture(autouse=True)
    def there(self, moto_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", moto_endpoint)

    def test_the_cluster_is_what_deploy_and_a_login_take(self, standing: Standing) -> None:
        account, made = standing.account, standing.made
        cluster = find_cluster(account, made.cluster)
        assert (cluster.engine, cluster.engine_version) == ("aurora-postgresql", VERSION)
        assert cluster.has_iam_authentication
        assert [subnet.zone for subnet in cluster.subnets] == ["us-east-1a", "us-east-1b"]
        assert cluster.managed_secret
        found = account.client("rds").describe_db_clusters(DBClusterIdentifier=NAME)["DBClusters"][0]
        assert found["StorageEncrypted"]
        assert found["ServerlessV2ScalingConfiguration"] == {"MinCapacity": 0.5, "MaxCapacity": 2.0}
        assert not found.get("DeletionProtection")
        assert by_secret(account, cluster, tunnel=15432) == f"aws-secret:cluster:{NAME}?region=us-east-1&tunnel=15432"
        assert by_token(account, cluster, "o/dd", database="app") == (
            f"iam:o%2Fdd@{cluster.endpoint}:5432?dbname=app&region=us-east-1"
        )

    def test_no_output_and_no_parameter_of_the_stack_is_secret(self, standing: Standing) -> None:
        account = standing.account
        stack = find(account, NAME)
        assert stack is not None
        secret = account.client("secretsmanager").get_secret_value(SecretId=stack.output("SecretArn"))["SecretString"]
        assert json.loads(secret)["password"] not in json.dumps([dict(stack.outputs), dict(stack.parameters)])

    def test_packets_come_from_the_host_to_the_database_and_to_session_manager_and_nowhere_else(
        self, standing: Standing
    ) -> None:
        account = standing.account
        found = find(account, NAME)
        assert found is not None
        ids = {name: found.resources[name].physical_id for name in ("HostGroup", "DatabaseGroup", "EndpointGroup")}
        ec2 = account.client("ec2")
        groups = {each["GroupId"]: each for each in ec2.describe_security_groups()["SecurityGroups"]}

        def opens(group: str, peer: str, port: int) -> bool:
            rules = [each for each in groups[ids[group]]["IpPermissions"] if each["FromPort"] <= port <= each["ToPort"]]
            assert not any(each["IpRanges"] for each in rules), "no address is let in, only a group"
            return any(pair["GroupId"] == ids[peer] for each in rules for pair in each["UserIdGroupPairs"])

        everything = [(source, target, port) for source in ids for target in ids for port in (22, 443, 5432)]
        assert {way for way in everything if opens(way[1], way[0], way[2])} == {
            ("HostGroup", "DatabaseGroup", 5432),
            ("HostGroup", "EndpointGroup", 443),
        }

    def test_the_host_has_no_public_address_no_key_and_no_way_to_the_internet(self, standing: Standing) -> None:
        account, made = standing.account, standing.made
        host = account.client("ec2").describe_instances(InstanceIds=[made.host])["Reservations"][0]["Instances"][0]
        assert host.get("PublicIpAddress") is None
        assert "KeyName" not in host
        assert host["InstanceType"] == "t4g.nano"
        tables = account.client("ec2").describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [host["VpcId"]]}])
        assert {route["GatewayId"] for table in tables["RouteTables"] for route in table["Routes"]} == {"local"}

    def test_the_hosts_role_may_talk_to_session_manager_and_do_nothing_else(self, standing: Standing) -> None:
        account = standing.account
        iam = client("iam")
        found = find(account, NAME)
        assert found is not None
        role = found.resources["HostRole"].physical_id
        assert iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"] == []
        policies = [
            document(iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])
            for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
        ]
        statements = [each for policy in policies for each in policy["Statement"]]
        allowed = {
            action
            for each in statements
            for action in ([each["Action"]] if isinstance(each["Action"], str) else each["Action"])
        }
        assert {action.partition(":")[0] for action in allowed} == {"ssm", "ssmmessages"}
        assert not any("*" in action for action in allowed)


def test_packets_leave_for_the_database_and_session_manager_only() -> None:
    """Read in the template: moto opens every group's way out."""
    template = yaml.load(trial.template(), Loader=_Tags)  # noqa: S506 - our own file
    ways_out = {
        name: {(rule["FromPort"], rule["ToPort"], rule["CidrIp"]) for rule in each["Properties"]["SecurityGroupEgress"]}
        for name, each in template["Resources"].items()
        if each["Type"] == "AWS::EC2::SecurityGroup"
    }
    nowhere = {(443, 443, "127.0.0.1/32")}
    assert ways_out == {
        "HostGroup": {(5432, 5432, "VpcCidr"), (443, 443, "VpcCidr")},
        "DatabaseGroup": nowhere,
        "EndpointGroup": nowhere,
    }


def document(policy: Any) -> Any:
    """The policy; moto writes one that comes by CloudFormation as Python would."""
    return yaml.safe_load(policy) if isinstance(policy, str) else policy


# What is said before


def test_what_it_costs_is_said_item_by_item_and_adds_up(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["aws", "trial", "up", "--dry-run"])
    out = capsys.readouterr().out
    assert left.value.code == 0
    assert "$0.0600 to $0.2400  Aurora Serverless v2, 0.5 to 2 ACU" in out
    assert re.search(r"\$0\.0858 to \$0\.2658  together; \$2\.06 to \$6\.38 a day", out)
    assert f"list prices of {prices.REGION} as of {prices.AS_OF}" in out
    assert "add      AWS::RDS::DBCluster" in out


def test_every_priced_resource_of_the_template_has_a_price_and_every_other_is_free() -> None:
    template = yaml.load(trial.template(), Loader=_Tags)  # noqa: S506 - our own file
    kinds = [each["Type"] for each in template["Resources"].values()]
    free = {
        "AWS::EC2::VPC", "AWS::EC2::Subnet", "AWS::EC2::RouteTable", "AWS::EC2::SubnetRouteTableAssociation",
        "AWS::EC2::SecurityGroup", "AWS::EC2::LaunchTemplate", "AWS::IAM::Role", "AWS::IAM::InstanceProfile",
        "AWS::RDS::DBSubnetGroup", "AWS::RDS::DBClusterParameterGroup",
        "AWS::RDS::DBCluster",  # its storage and its secret are priced, and its instance
        "AWS::Logs::LogGroup",  # by what is written: half a dollar a GB
    }  # fmt: skip
    assert sorted(set(kinds) - free) == ["AWS::EC2::Instance", "AWS::EC2::VPCEndpoint", "AWS::RDS::DBInstance"]
    assert (kinds.count("AWS::EC2::Instance"), kinds.count("AWS::EC2::VPCEndpoint")) == (1, 2)
    said = [each.what for each in prices.of_trial(Decimal("0.5"), Decimal(2))]
    assert [each.split(",")[0] for each in said] == [
        "Aurora Serverless v2", "2 interface endpoints in one zone", "host", "its disk", "secret of the master user",
        "storage of the database",
    ]  # fmt: skip


@pytest.mark.parametrize("options", [["--dry-run"], []], ids=["dry run", "nobody to ask"])
def test_nothing_is_left_of_what_was_not_agreed_to(
    options: list[str], account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    before = resources(account)
    with pytest.raises(SystemExit) as left:
        main(["aws", "trial", "up", *options])
    assert left.value.code == (0 if options else 3)
    assert resources(account) == before
    assert find(account, NAME) is None
    assert options or "nobody is here to be asked" in capsys.readouterr().err


# Again, and otherwise


def test_again_changes_nothing_and_a_newer_default_does_not_replace_the_database(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(account)
    before = resources(account)
    monkeypatch.setattr("tests.aws.moto_aurora.VERSION", "17.11")
    planned = trial.plan(account, Wish(), nobody)
    assert planned.parameters["EngineVersion"] == VERSION
    assert planned.change_set is None or not planned.change_set.changes
    assert resources(account) == before


def test_capacity_can_be_changed_and_the_rest_stays(account: Account) -> None:
    make(account, vpc_cidr="10.1.0.0/20", database="shop")
    made = make(account, most_acu=Decimal(4))
    assert made.database == "shop"
    found = account.client("rds").describe_db_clusters(DBClusterIdentifier=NAME)["DBClusters"][0]
    assert found["ServerlessV2ScalingConfiguration"] == {"MinCapacity": 0.5, "MaxCapacity": 4.0}


def test_what_is_next_names_the_region_and_the_profile_where_they_do_not_go_without_saying() -> None:
    made = trial.Trial("mine", "mine.cluster-c1.eu-west-1.rds.amazonaws.com", "app", "i-1", "eu-west-1", "my own")
    assert made.dsn == "aws-secret:cluster:mine/app?region=eu-west-1&profile=my+own&tunnel=15432"
    assert aws_login(made.dsn) == ServerLogin(
        "mine", is_cluster=True, options=AwsOptions("app", "eu-west-1", "my own", 15432)
    )
    assert made.command("down") == "partwarden aws trial down --name mine --region eu-west-1 --profile 'my own'"
    assert made.tunnel_command.startswith("aws ssm start-session --region eu-west-1 --profile 'my own' --target i-1 ")
    *_, parameters = shlex.split(made.tunnel_command)
    assert json.loads(parameters) == {"host": [made.endpoint], "portNumber": ["5432"], "localPortNumber": ["15432"]}


def test_a_version_that_is_not_offered_is_named_with_where_to_look(account: Account) -> None:
    with pytest.raises(AwsFailed, match=r"Aurora PostgreSQL 14\.3 is not offered") as refused:
        trial.plan(account, Wish(engine_version="14.3"), nobody)
    assert "describe-db-engine-versions" in (refused.value.remedy or "")
    assert find(account, NAME) is None


def test_zones_have_what_a_trial_takes(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    # moto knows that us-east-1e has no t4g; there, the second subnet may be, and the host may not.
    monkeypatch.setattr("tests.aws.moto_aurora._ZONES", "ef")
    planned = trial.plan(account, Wish(), nobody)
    assert (planned.parameters["FirstZone"], planned.parameters["SecondZone"]) == ("us-east-1f", "us-east-1e")
    trial.discard(account, planned)
    monkeypatch.setattr("tests.aws.moto_aurora._ZONES", "e")
    with pytest.raises(AwsFailed, match="no two zones of us-east-1"):
        trial.plan(account, Wish(), nobody)


@pytest.mark.parametrize("name", ["", "Trial", "a--b", "1a", "a-", "a" * 51, "a_b"])
def test_a_name_that_no_cluster_can_have_is_refused_before_anything_is_asked(name: str, account: Account) -> None:
    with pytest.raises(BadOption, match="can't be the name of a cluster"):
        trial.plan(account, Wish(name=name), nobody)


def test_less_at_most_than_at_least_is_refused(account: Account) -> None:
    with pytest.raises(BadOption, match="at least 4 ACU and at most 2"):
        trial.plan(account, Wish(least_acu=Decimal(4)), nobody)
    assert find(account, NAME) is None


def test_a_stack_of_somebody_elses_is_left_alone(account: Account) -> None:
    account.client("cloudformation").create_stack(
        StackName=NAME, TemplateBody=json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
    )
    for attempt in (
        lambda: trial.plan(account, Wish(), nobody),
        lambda: trial.plan_down(account, NAME),
        lambda: trial.look(account, NAME),
    ):
        with pytest.raises(AwsFailed, match=f"stack {NAME} is not a trial environment"):
            attempt()


# Removing


def test_it_is_not_removed_while_a_deploy_is_attached(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    make(account)
    rds = account.client("rds")
    rds.add_role_to_db_cluster(DBClusterIdentifier=NAME, RoleArn="arn:aws:iam::1:role/alert", FeatureName="Lambda")
    before = resources(account)
    with pytest.raises(SystemExit) as left:
        main(["aws", "trial", "down", "--yes"])
    assert left.value.code == 3
    assert f"partwarden aws destroy --cluster {NAME} -d 'aws-secret:cluster:{NAME}/app?" in capsys.readouterr().err
    assert resources(account) == before


def test_it_takes_the_alert_stack_and_is_not_removed_while_that_lies_in_its_network(account: Account) -> None:
    make(account)
    stack = find(account, NAME)
    assert stack is not None
    first, second = stack.output("SubnetIds").split(",")
    alert_stack.make(account, Network(stack.output("VpcId"), (first, second)))
    with pytest.raises(AwsFailed, match=f"stack {alert_stack.NAME} still uses the network of {NAME}"):
        trial.plan_down(account, NAME)
    stacks.delete(account, alert_stack.NAME, nobody)
    assert trial.plan_down(account, NAME) is not None


def test_what_somebody_wanted_kept_is_left_and_named(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    make(account)
    account.client("rds").create_db_cluster_snapshot(DBClusterSnapshotIdentifier="keep", DBClusterIdentifier=NAME)
    with pytest.raises(SystemExit) as left:
        main(["aws", "trial", "down", "--yes"])
    assert left.value.code == 0
    out = capsys.readouterr().out
    assert "left: snapshot keep, which was made by hand" in out
    assert "nothing of it is left" not in out


def test_the_command_line_makes_it_says_what_is_next_and_removes_it(
    account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    before = resources(account)
    for words in (["up", "--yes"], ["show"], ["down", "--dry-run"], ["down", "--yes"], ["down", "--yes"]):
        with pytest.raises(SystemExit) as left:
            main(["aws", "trial", *words])
        assert left.value.code == 0
        out = capsys.readouterr().out
        if words[0] in {"up", "show"}:
            assert "--document-name AWS-StartPortForwardingSessionToRemoteHost" in out
            assert f"partwarden check 'aws-secret:cluster:{NAME}/app?region=us-east-1&tunnel=15432'" in out
        if words == ["down", "--dry-run"]:
            assert "AWS::RDS::DBCluster" in out
            assert find(account, NAME) is not None
    assert "nothing to remove" in out
    assert resources(account) == before
    with pytest.raises(SystemExit) as left:
        main(["aws", "trial", "show"])
    assert left.value.code == 3
    assert "partwarden aws trial up" in capsys.readouterr().err


class _Tags(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, which are of no matter here."""


_Tags.add_multi_constructor("!", lambda _, __, node: node.value)
