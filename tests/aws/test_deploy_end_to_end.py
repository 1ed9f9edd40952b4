"""A deploy from nothing to a test alert in the mailbox: a real PostgreSQL with pg_cron, and ministack with IAM on."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from partwarden.aws.account import Account
from partwarden.aws.alert_stack import Wish
from partwarden.aws.deploy import DatabaseWish, Deploy
from partwarden.aws.destroy import Destroy
from partwarden.aws.hops import Hop
from partwarden.aws.site import Site
from partwarden.aws.status import status
from partwarden.aws.steps import DeployFailed
from partwarden.aws.test_alert import try_alert
from partwarden.cli import main
from partwarden.errors import CouldNotConnect, InstallRefused
from partwarden.local.aws import LocalAws
from partwarden.local.cluster import free_port
from partwarden.local.mailbox import Mailbox
from tests.aws.attached_roles import AttachedRoles
from tests.aws.endpoint_details import tell_of_endpoints
from tests.aws.tls_front import TlsFront
from tests.aws.world import ADDRESS, CLUSTER, Told, World, add_cluster, inventory, make_world
from tests.partition_sets import daily_set
from tests.servers import Database
from tests.waiting import wait_until

pytestmark = pytest.mark.parametrize("server", [18], indirect=True)

STACK = f"partwarden-{CLUSTER}"
EVERY_SECOND = "1 second"


class Outside:
    """Does, as soon as the stack has come, what the world outside does: somebody subscribes, and TLS is ended.

    It is there when the product asks for the subscribers, which it does after the stack and before the test alert.
    """

    def __init__(self, world: World, mailbox: Mailbox, front: TlsFront) -> None:
        self._mailbox = mailbox
        self._front = front
        self._seen: set[str] = set()
        world.account.session.events.register("before-call.sns.ListSubscriptionsByTopic", self._come)

    def _come(self, params: dict[str, Any], **_: Any) -> None:
        topic = params["body"]["TopicArn"]
        if topic in self._seen:
            return
        self._seen.add(topic)
        account = Account.of()
        account.client("lambda").update_function_configuration(
            FunctionName=f"{STACK}-alert", Environment={"Variables": {"AWS_ENDPOINT_URL": self._front.url}}
        )
        account.client("sns").subscribe(TopicArn=topic, Protocol="http", Endpoint=self._mailbox.url)


@dataclass
class Place:
    """All that a test needs to deploy, look and destroy."""

    world: World
    database: Database
    mailbox: Mailbox

    def site(self) -> Site:
        return Site(self.world.account, STACK, self.world.cluster(), self.database.owner_dsn)

    def deploy(self) -> Told:
        told = Told()
        work = Deploy(
            self.site(),
            Wish(emails=(ADDRESS,)),
            told,
            database=DatabaseWish(monitor=EVERY_SECOND),
            wait_seconds=0,
            hop=told.hops.append,
        )
        work.plan()
        work.run()
        return told

    def destroy(self, *, uninstalls: bool = False) -> Told:
        told = Told()
        Destroy(self.site(), told, uninstalls=uninstalls).run()
        return told

    def status(self) -> dict[str, Hop]:
        return {hop.name: hop for hop in status(self.site())}

    def mails(self) -> list[str]:
        return [mail["Subject"] for mail in self.mailbox.mails() if self.database.name in mail["Subject"]]

    def jobs(self) -> list[tuple[str, str]]:
        with psycopg.connect(self.database.server.cluster.dsn()) as cron:
            rows = cron.execute(
                "select jobname, command from cron.job where database = %s order by 1", (self.database.name,)
            ).fetchall()
        return [(str(name), str(command)) for name, command in rows]

    def let_running_monitors_end(self) -> None:
        """Those that have begun by now don't see what is changed from now on."""
        with psycopg.connect(self.database.server.cluster.dsn(), autocommit=True) as cron:
            row = cron.execute("select clock_timestamp()").fetchone()
            assert row is not None
            wait_until(
                lambda: (
                    cron.execute(
                        "select from pg_stat_activity where datname = %s and query like %s and backend_start < %s",
                        (self.database.name, "%partwarden.monitor%", row[0]),
                    ).fetchone()
                    is None
                ),
                "the monitors that run have ended",
            )


@pytest.fixture
def place(database: Database, ministack: LocalAws, ministack_account: Account, mailbox: Mailbox) -> Iterator[Place]:
    world = make_world(ministack_account)
    tell_of_endpoints(world.account)
    AttachedRoles(world.account, database.server.write_aws_credentials)
    add_cluster(world)
    database.server.write_aws_credentials("", "")
    with database.connect_owner() as owner:
        owner.execute("create schema app")
        daily_set(owner, "app.events")
    with TlsFront(ministack.endpoint) as front:
        Outside(world, mailbox, front)
        made = Place(world, database, mailbox)
        made.database.point_to_lambda(ministack.endpoint)
        yield made


def test_from_nothing_to_a_mail_and_back_to_nothing(place: Place) -> None:
    before = inventory()
    told = place.deploy()
    assert told.outcomes() == {
        "stack": "done",
        "role": "done",
        "security group": "done",
        "aws_lambda": "there",
        "partwarden": "done",
        "jobs": "done",
        "confirmation": "there",
        "test alert": "done",
    }
    assert [(hop.name, hop.state) for hop in told.hops] == [
        ("outbox", "ok"),
        ("pg_cron", "ok"),
        ("Lambda", "ok"),
        ("SNS", "ok"),
        ("subscribers", "ok"),
    ]
    subject = f"[partwarden] TEST {CLUSTER}/{place.database.name}: alerts arrive"
    place.mailbox.wait_for(lambda mail: mail["Subject"] == subject, 20)

    there = inventory()
    assert set(place.deploy().outcomes().values()) == {"there"}
    assert inventory() == there
    assert place.mails() == [subject]

    found = place.status()
    assert {hop.state for hop in found.values()} == {"ok"}, found
    assert "heartbeat" in found

    assert set(place.destroy(uninstalls=True).outcomes().values()) == {"done"}
    assert inventory() == before
    assert place.jobs() == []
    with place.database.connect_owner() as owner:
        assert owner.execute("select to_regnamespace('partwarden')").fetchone() == (None,)
    assert set(place.destroy(uninstalls=True).outcomes().values()) == {"there"}


def test_destroy_keeps_the_record_of_incidents_and_leaves_other_jobs(place: Place) -> None:
    place.deploy()
    with psycopg.connect(place.database.server.cluster.dsn(), autocommit=True) as cron:
        cron.execute("select cron.schedule_in_database('theirs', '0 0 1 1 *', 'select 1', %s)", (place.database.name,))
    place.destroy()
    assert [name for name, _ in place.jobs()] == ["theirs"]
    with place.database.connect_owner() as owner:
        assert owner.execute("select count(*) from partwarden.notification").fetchone() == (1,)


def test_status_names_the_hop_that_is_broken(place: Place) -> None:
    place.deploy()
    with psycopg.connect(place.database.server.cluster.dsn(), autocommit=True) as cron:
        cron.execute("update cron.job set active = false where database = %s", (place.database.name,))
        time.sleep(1)  # pg_cron reads its jobs anew once a second
    place.let_running_monitors_end()
    hops = list(try_alert(place.site(), lambda _: None, patience=0.5))
    assert (hops[-1].name, hops[-1].state) == ("pg_cron", "broken")
    with place.database.connect() as superuser:
        superuser.execute("revoke usage on schema aws_lambda from app_owner")
    found = place.status()
    assert {name: hop.state for name, hop in found.items() if hop.state != "ok"} == {
        "aws_lambda": "broken",
        "jobs": "broken",
    }
    assert "grant usage on schema aws_commons, aws_lambda to" in (found["aws_lambda"].remedy or "")
    with place.database.connect() as superuser:
        superuser.execute("grant usage on schema aws_lambda to app_owner")
    assert place.deploy().outcomes()["jobs"] == "done"
    found = place.status()
    assert (found["aws_lambda"].state, found["jobs"].state) == ("ok", "ok")


def test_test_alert_that_does_not_get_through_says_where_and_goes_out_later(place: Place, ministack: LocalAws) -> None:
    place.deploy()
    place.database.point_to_lambda(f"http://127.0.0.1:{free_port()}")
    place.let_running_monitors_end()
    hops = list(try_alert(place.site(), lambda _: None))
    assert [(hop.name, hop.state) for hop in hops] == [("outbox", "ok"), ("pg_cron", "ok"), ("Lambda", "broken")]
    assert "does not reach Lambda's endpoint" in (hops[-1].remedy or "")
    assert place.status()["outbox"].state == "broken"
    place.database.point_to_lambda(ministack.endpoint)
    place.let_running_monitors_end()
    hops = list(try_alert(place.site(), lambda _: None))
    assert hops[-1].state == "ok"
    with place.database.connect_owner() as owner:
        assert owner.execute("select count(*) from partwarden.notification").fetchone() == (2,)


def test_failure_in_the_database_says_what_was_done_and_the_same_again_goes_on(place: Place) -> None:
    before = inventory()
    with place.database.connect() as superuser:
        superuser.execute("revoke usage on schema aws_lambda from app_owner")
    with pytest.raises(DeployFailed, match="step 4 of 8, aws_lambda: role app_owner may not do this") as failure:
        place.deploy()
    assert "done by this command before that: stack, role, security group" in failure.value.problem
    assert "as a member of rds_superuser: grant usage on schema aws_commons, aws_lambda" in (failure.value.remedy or "")
    with place.database.connect() as superuser:
        superuser.execute("grant usage on schema aws_lambda to app_owner")
        superuser.execute("create schema partwarden authorization app_owner")
    with pytest.raises(InstallRefused, match='there is a schema "partwarden" that this tool did not make'):
        place.deploy()
    with place.database.connect() as superuser:
        superuser.execute("drop schema partwarden")
    with psycopg.connect(place.database.server.cluster.dsn(), autocommit=True) as cron:
        cron.execute("revoke execute on function cron.schedule_in_database from app_owner")
        try:
            with pytest.raises(DeployFailed, match="step 6 of 8, jobs: role app_owner may not schedule jobs"):
                place.deploy()
        finally:
            cron.execute("grant execute on function cron.schedule_in_database to app_owner")
    place.database.server.write_aws_credentials("", "")
    with pytest.raises(DeployFailed, match="step 8 of 8, test alert: Lambda: the function could not be invoked"):
        place.deploy()
    place.destroy(uninstalls=True)
    assert inventory() == before


def test_database_that_cannot_be_reached_is_told_before_anything_is_made(place: Place) -> None:
    before = inventory()
    site = Site(place.world.account, STACK, place.world.cluster(), f"host=127.0.0.1 port={free_port()} dbname=x")
    with pytest.raises(CouldNotConnect):
        Deploy(site, Wish(emails=(ADDRESS,)), Told()).plan()
    assert inventory() == before


def test_command_line_from_dry_run_to_destroy(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Account, "of", lambda *_: place.world.account)

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main(["aws", *arguments])
        said = capsys.readouterr()
        return int(left.value.code or 0), said.out, said.err

    where = ["--cluster", CLUSTER, "-d", place.database.owner_dsn]
    make = ["deploy", *where, "--email", ADDRESS, "--monitor", EVERY_SECOND, "--no-wait"]
    code, said, _ = run(*make, "--dry-run")
    assert code == 1
    assert "create stack partwarden-prod" in said
    assert "Lambda::Function" in said
    code, _, error = run(*make)
    assert code == 3
    assert "nobody is here to be asked" in error
    assert run("status", *where)[0] == 1
    assert place.world.account.client("cloudformation").describe_stacks()["Stacks"] == []
    code, said, error = run(*make, "--yes")
    assert code == 0, said + error
    assert "CREATE_COMPLETE" in error
    assert "all is made" in said
    code, said, _ = run("test-alert", *where, "--json")
    assert code == 0, said
    assert [hop["name"] for hop in json.loads(said)["hops"]] == ["outbox", "pg_cron", "Lambda", "SNS", "subscribers"]
    code, said, _ = run("status", *where, "--json")
    assert code == 0, said
    assert run("destroy", *where, "--dry-run")[0] == 1
    code, said, error = run("destroy", *where, "--uninstall", "--yes")
    assert code == 0, said + error
    assert run("destroy", *where, "--yes")[1].rstrip().endswith("nothing to do")
