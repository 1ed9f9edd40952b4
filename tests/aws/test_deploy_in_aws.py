"""A deploy without its database part, in moto: what it makes, what it leaves alone, what a failure leaves, and destroy."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from partwarden.aws import stacks
from partwarden.aws.account import Account
from partwarden.aws.alert_stack import Wish
from partwarden.aws.deploy import Deploy
from partwarden.aws.destroy import Destroy, DestroyFailed
from partwarden.aws.hops import exit_code
from partwarden.aws.site import Site, stack_name_for
from partwarden.aws.status import status
from partwarden.aws.steps import DeployFailed
from partwarden.cli.aws.options import Place, find_site
from partwarden.errors import AwsFailed, BadOption, PartwardenError
from tests.aws.world import ADDRESS, CLUSTER, Told, World, add_cluster, add_instance, inventory, make_world

STACK = f"partwarden-{CLUSTER}"

# A call of each step that changes something, or without which it can't be done.
STEPS = ("CreateChangeSet", "ExecuteChangeSet", "AddRoleToDBCluster", "ModifyDBCluster", "ListSubscriptionsByTopic")


@pytest.fixture
def world(moto_account: Account) -> World:
    return make_world(moto_account)


@pytest.fixture(params=["cluster", "instance"])
def either(request: pytest.FixtureRequest, world: World) -> Site:
    """A cluster, and an instance that is no cluster's: the API has other calls for each."""
    made = add_cluster(world) if request.param == "cluster" else add_instance(world)
    return Site(world.account, STACK, made)


@pytest.fixture
def site(world: World) -> Site:
    """A cluster."""
    return Site(world.account, STACK, add_cluster(world))


def deploy(site: Site, wish: Wish | None = None, *, use_attached_role: bool = False) -> Told:
    told = Told()
    work = Deploy(
        Site(site.account, site.stack_name, site.cluster()),
        wish or Wish(emails=(ADDRESS,)),
        told,
        wait_seconds=0,
        use_attached_role=use_attached_role,
    )
    work.plan()
    work.run()
    return told


def destroy(site: Site) -> Told:
    told = Told()
    site.forget()
    work = Destroy(Site(site.account, site.stack_name, site.cluster()), told)
    work.plan()
    work.run()
    return told


def refuse(world: World, operation: str) -> None:
    world.faults[operation] = ClientError(
        {"Error": {"Code": "AccessDenied", "Message": "not authorized to perform: it on resource: that"}}, operation
    )


def fail_at(operation: str, site: Site, world: World) -> PartwardenError:
    """A deploy in which this call is refused."""
    refuse(world, operation)
    with pytest.raises((DeployFailed, AwsFailed), match="AccessDenied") as failure:
        deploy(site)
    world.faults.clear()
    return failure.value


def test_it_makes_the_stack_and_the_database_carries_role_and_group(either: Site, world: World) -> None:
    told = deploy(either)
    assert told.outcomes() == {"stack": "done", "role": "done", "security group": "done", "confirmation": "done"}
    stack = stacks.find(world.account, STACK)
    assert stack is not None
    either.forget()
    now = either.cluster()
    assert [(role.arn, role.feature, role.status) for role in now.roles] == [
        (stack.output("DatabaseRoleArn"), "Lambda", "ACTIVE")
    ]
    assert [group for group, _ in now.security_groups] == [world.group, stack.output("ClientSecurityGroupId")]
    assert stack.parameters["DatabaseArn"] == now.arn
    assert stack.parameters["SubnetIds"] == f"{world.subnets[0]},{world.subnets[2]}"
    assert stack.parameters["ShareEndpointsWithCidr"] == "10.0.0.0/16"
    assert stack.tags == {"partwarden": "alert"}


def test_again_it_changes_nothing(site: Site, world: World) -> None:
    deploy(site)
    before = inventory()
    world.calls.clear()
    told = deploy(site)
    assert set(told.outcomes().values()) == {"there"}
    assert inventory() == before
    assert set(world.changing_calls()) == {"cloudformation:CreateChangeSet", "cloudformation:DeleteChangeSet"}


def test_again_without_options_it_keeps_what_the_stack_has(site: Site, world: World) -> None:
    deploy(site, Wish(emails=(ADDRESS, "b@example.com"), heartbeat_minutes=30, shares_endpoints=False))
    assert set(deploy(site, Wish()).outcomes().values()) == {"there"}
    stack = stacks.find(world.account, STACK)
    assert stack is not None
    assert stack.parameters["HeartbeatMinutes"] == "30"
    assert stack.parameters.get("ShareEndpointsWithCidr", "") == ""


def test_other_addresses_take_the_place_of_the_first(site: Site, world: World) -> None:
    deploy(site)
    assert deploy(site, Wish(emails=("b@example.com",))).outcomes()["stack"] == "done"
    stack = stacks.find(world.account, STACK)
    assert stack is not None
    assert stack.parameters["NotificationEmail"] == "b@example.com"


def test_destroy_leaves_what_was_there_before(either: Site, world: World) -> None:
    before = inventory()
    deploy(either)
    assert inventory() > before
    told = destroy(either)
    assert set(told.outcomes().values()) == {"done"}
    assert inventory() == before
    assert set(destroy(either).outcomes().values()) == {"there"}


def test_after_a_failure_at_any_step_destroy_leaves_nothing(site: Site, world: World) -> None:
    before = inventory()
    for operation in STEPS:
        fail_at(operation, site, world)
        destroy(site)
        assert inventory() == before, operation


def test_after_a_failure_at_each_step_the_same_again_goes_on(site: Site, world: World) -> None:
    for operation in STEPS:
        failure = fail_at(operation, site, world)
        if isinstance(failure, DeployFailed):
            assert "then go on: the same command again" in (failure.remedy or "")
            assert f"partwarden aws destroy --cluster {CLUSTER} --stack-name {STACK}" in (failure.remedy or "")
    told = deploy(site)
    assert told.outcomes() == {"stack": "there", "role": "there", "security group": "done", "confirmation": "done"}
    site.forget()
    assert {hop.state for hop in status(site)} <= {"ok", "skipped"}


def test_destroy_goes_on_after_a_failure_and_the_same_again_does_the_rest(site: Site, world: World) -> None:
    before = inventory()
    for operations in (("ModifyDBCluster", "DeleteStack"), ("RemoveRoleFromDBCluster",)):
        deploy(site)
        for operation in operations:
            refuse(world, operation)
            with pytest.raises(DestroyFailed, match=r"not all could be taken away: .*AccessDenied") as failure:
                destroy(site)
            assert "the same command again, which does what is left" in (failure.value.remedy or "")
            assert f"stack {STACK}" in inventory()
            world.faults.clear()
        destroy(site)
        assert inventory() == before


def test_roles_groups_and_topics_of_others_are_kept(world: World) -> None:
    cluster = add_cluster(world)
    rds = Account.of().client("rds")
    rds.add_role_to_db_cluster(
        DBClusterIdentifier=CLUSTER, RoleArn="arn:aws:iam::123456789012:role/imports", FeatureName="s3Import"
    )
    topic = Account.of().client("sns").create_topic(Name="theirs")["TopicArn"]
    before = inventory()
    site = Site(world.account, STACK, cluster)
    deploy(site, Wish(topic=topic))
    assert inventory() > before
    destroy(site)
    assert inventory() == before


def test_role_for_lambda_that_is_there_is_in_the_way_and_can_be_kept(world: World) -> None:
    cluster = add_cluster(world)
    theirs = "arn:aws:iam::123456789012:role/theirs"
    Account.of().client("rds").add_role_to_db_cluster(DBClusterIdentifier=CLUSTER, RoleArn=theirs, FeatureName="Lambda")
    before = inventory()
    site = Site(world.account, STACK, cluster)
    with pytest.raises(DeployFailed, match="it has arn:aws:iam::123456789012:role/theirs for aws_lambda already"):
        deploy(site)
    told = deploy(site, use_attached_role=True)
    assert told.outcomes() == {"stack": "there", "role": "there", "security group": "done", "confirmation": "done"}
    destroy(site)
    assert inventory() == before


def test_endpoint_that_is_there_is_used(world: World) -> None:
    site = Site(world.account, STACK, add_cluster(world))
    ec2 = Account.of().client("ec2")
    theirs = ec2.create_vpc_endpoint(
        VpcId=world.vpc,
        ServiceName="com.amazonaws.us-east-1.sns",
        VpcEndpointType="Interface",
        SubnetIds=[world.subnets[0]],
        SecurityGroupIds=[world.group],
        PrivateDnsEnabled=True,
    )["VpcEndpoint"]["VpcEndpointId"]
    before = inventory()
    deploy(site)
    stack = stacks.find(world.account, STACK)
    assert stack is not None
    assert (stack.parameters["CreateSnsEndpoint"], stack.parameters["CreateLambdaEndpoint"]) == ("false", "true")
    assert stack.parameters["SnsEndpointSecurityGroupId"] == world.group
    assert "SnsEndpoint" not in stack.resources
    assert set(deploy(site, Wish()).outcomes().values()) == {"there"}
    destroy(site)
    # moto leaves the rule in their group.
    assert {each for each in inventory() ^ before if not each.startswith(f"security group {world.group} ")} == set()
    assert any(theirs in each for each in before)


def test_plan_leaves_nothing_behind(site: Site, world: World) -> None:
    before = inventory()
    work = Deploy(Site(site.account, STACK, site.cluster()), Wish(emails=(ADDRESS,)), Told(), wait_seconds=0)
    plan = work.plan()
    assert [each.name for each in plan] == ["stack", "role", "security group", "confirmation"]
    assert all(each.there is None for each in plan)
    assert work.changes is not None
    assert {"Function", "Topic", "LambdaEndpoint"} <= {each.logical_id for each in work.changes.changes}
    work.discard()
    assert inventory() == before


def test_nobody_to_tell_is_refused_before_anything_is_made(site: Site, world: World) -> None:
    with pytest.raises(BadOption, match="nobody would be told"):
        deploy(site, Wish())
    assert world.changing_calls() == []


def test_vpc_without_names_is_refused_with_what_to_do(site: Site, world: World) -> None:
    Account.of().client("ec2").modify_vpc_attribute(VpcId=world.vpc, EnableDnsHostnames={"Value": False})
    with pytest.raises(AwsFailed, match=f"modify-vpc-attribute --vpc-id {world.vpc} --enable-dns-hostnames"):
        deploy(site)
    assert world.changing_calls() == []
    deploy(site, Wish(emails=(ADDRESS,), makes_endpoints=False))


def test_stack_of_that_name_that_is_somebody_elses_is_left_alone(site: Site, world: World) -> None:
    body = '{"Resources": {"T": {"Type": "AWS::SNS::Topic"}}}'
    changes = stacks.propose(world.account, STACK, body, {}, {})
    assert changes is not None
    stacks.execute(world.account, changes, lambda _: None)
    before = inventory()
    for attempt in (deploy, destroy):
        with pytest.raises(AwsFailed, match="is not an alert stack of partwarden's\nchoose another name"):
            attempt(site)
    assert inventory() == before


def test_status_says_which_rule_is_missing(site: Site, world: World) -> None:
    deploy(site)
    site.forget()
    found = {hop.name: hop for hop in status(site)}
    assert {name: hop.state for name, hop in found.items() if hop.state not in {"ok", "skipped"}} == {}
    assert found["endpoint for lambda"].state == "ok"
    assert exit_code(list(found.values())) == 0
    stack = stacks.find(world.account, STACK)
    assert stack is not None
    ec2 = Account.of().client("ec2")
    group = stack.resources["EndpointSecurityGroup"].physical_id
    (closed,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=closed["IpPermissions"])
    found = {hop.name: hop for hop in status(site)}
    assert found["endpoint for lambda"].state == found["endpoint for sns"].state == "broken"
    assert f"lets {stack.output('ClientSecurityGroupId')} in on port 443" in found["endpoint for sns"].what
    assert exit_code(list(found.values())) == 1


def test_status_looks_on_where_it_may_not_look(site: Site, world: World) -> None:
    deploy(site)
    site.forget()
    refuse(world, "GetFunctionConfiguration")
    found = {hop.name: hop for hop in status(site)}
    assert (found["function"].state, found["subscribers"].state) == ("unknown", "ok")
    assert exit_code(list(found.values())) == 3


def test_status_of_an_instance_says_that_it_does_not_resolve_names(world: World) -> None:
    site = Site(world.account, STACK, add_instance(world))
    deploy(site)
    site.forget()
    found = {hop.name: hop for hop in status(site)}
    assert found["names"].state == "broken"
    assert "rds.custom_dns_resolution = 1" in (found["names"].remedy or "")


def test_status_without_a_stack_says_so(site: Site) -> None:
    (hop,) = status(site)
    assert (hop.name, hop.state) == ("stack", "broken")


def test_address_that_has_not_confirmed_is_waited_for_and_told(site: Site, world: World) -> None:
    waiting = ["PendingConfirmation"] * 3

    def not_yet(parsed: dict[str, Any], **_: Any) -> None:
        for each in parsed.get("Subscriptions", []):
            if waiting:
                each["SubscriptionArn"] = waiting.pop()

    events: Any = world.account.session.events
    events.register("after-call.sns.ListSubscriptionsByTopic", not_yet)
    told = Told()
    Deploy(site, Wish(emails=(ADDRESS,)), told, wait_seconds=60).run()
    assert told.outcomes()["confirmation"] == "done"
    assert told.reports[-1].what == "all have confirmed"
    assert f"for {ADDRESS} to open the link" in told.waiting[-1]
    waiting += ["PendingConfirmation"] * 100
    told = Told()
    work = Deploy(site, Wish(), told, wait_seconds=0.1)
    work.run()
    assert work.waits_for == [ADDRESS]
    assert f"{ADDRESS} must confirm" in told.reports[-1].what
    site.forget()
    assert {hop.name: hop.state for hop in status(site)}["subscribers"] == "waiting"


def test_address_that_sns_has_forgotten_is_asked_anew(site: Site, world: World) -> None:
    deploy(site)
    sns = Account.of().client("sns")
    (subscription,) = sns.list_subscriptions()["Subscriptions"]
    sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
    site.forget()
    assert {hop.name: hop.state for hop in status(site)}["subscribers"] == "broken"
    assert deploy(site).outcomes()["confirmation"] == "done"
    assert [each["Endpoint"] for each in sns.list_subscriptions()["Subscriptions"]] == [ADDRESS]


def test_what_a_failed_creation_has_left_is_deleted_first(ministack_account: Account) -> None:
    world = make_world(ministack_account)
    site = Site(world.account, STACK, add_cluster(world))
    body = '{"Resources": {"S": {"Type": "AWS::Logs::LogStream", "Properties": {"LogGroupName": "not-there"}}}}'
    changes = stacks.propose(world.account, STACK, body, {}, {})
    assert changes is not None
    with pytest.raises(AwsFailed, match="ROLLBACK_COMPLETE"):
        stacks.execute(world.account, changes, lambda _: None)
    work = Deploy(site, Wish(emails=(ADDRESS,)), Told(), wait_seconds=0)
    assert work.plan()[0].intent == f"delete what is left of stack {STACK} (ROLLBACK_COMPLETE), and create it anew"
    # ministack lacks roles on clusters: so far, and no further.
    with pytest.raises(DeployFailed, match="step 2 of 4, role"):
        work.run()
    stack = stacks.find(world.account, STACK)
    assert stack is not None
    assert stack.is_healthy


def test_stack_alone_says_which_database_it_is_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site(world.account, "another-name", add_cluster(world))
    deploy(site)
    site.forget()
    assert find_site(Place(stack_name="another-name"), None).cluster().arn == site.cluster().arn
    with pytest.raises(BadOption, match="stack nobodys is not there"):
        find_site(Place(stack_name="nobodys"), None)
    with pytest.raises(AwsFailed, match=f"there is no cluster prd in .*\nthere are: {CLUSTER}"):
        find_site(Place(cluster="prd"), None)
    Account.of().client("rds").delete_db_cluster(DBClusterIdentifier=CLUSTER, SkipFinalSnapshot=True)
    told = Told()
    Destroy(find_site(Place(stack_name="another-name"), None, must_exist=False), told).run()
    assert told.outcomes() == {"security group": "there", "role": "there", "stack": "done"}


def test_stack_name_leaves_room_for_the_functions() -> None:
    assert stack_name_for("prod") == "partwarden-prod"
    longest, other = stack_name_for("a" * 63), stack_name_for("a" * 62 + "b")
    assert len(longest) <= 58
    assert longest != other
