"""partwarden test-alert: what it sends, and what it says of each channel; and what the check of deliveries says of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from partwarden.health import check_database
from tests.agents import agent, config_of, incident, notify, told_by_agents
from tests.commands import partwarden
from tests.receivers import Answer, HttpReceiver, http_receiver, mail_receiver
from tests.servers import Database

pytestmark = pytest.mark.one_server


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpReceiver]:
    with http_receiver() as running:
        monkeypatch.setenv("HOOK_URL", f"{running.url}/s3cr3t-path")
        monkeypatch.setenv("PAGER_URL", f"pagerduty://s3cr3t-key?api={running.url}")
        yield running


def file(folder: Path, *channels: dict[str, str]) -> str:
    path = folder / "partwarden.yaml"
    path.write_text(json.dumps({"channels": channels, "databases": [{"name": "app", "dsn": "host=nowhere"}]}))
    return str(path)


HOOK = {"name": "hook", "url": "env:HOOK_URL"}
PAGER = {"name": "pager", "url": "env:PAGER_URL", "severity": "critical"}


def test_every_channel_is_told_that_it_is_a_test_and_no_database_is_asked(
    receiver: HttpReceiver, tmp_path: Path
) -> None:
    with mail_receiver() as mail:
        mails = {"name": "mail", "url": mail.url("dba@example.com")}
        answer = partwarden("test-alert", "-c", file(tmp_path, HOOK, PAGER, mails))
        ((_, sent),) = mail.mails
    assert (answer.returncode, answer.stdout) == (0, "hook   told\npager  told\nmail   told\n")
    assert sent["Subject"] == "[partwarden] TEST WARNING mail: alerts arrive"
    assert "Nothing is wrong" in sent.get_content()
    (hook,) = [request for request in receiver.requests if request.path == "/s3cr3t-path"]
    assert (hook.json["test"], hook.json["incidents"][0]["severity"]) == (True, "warning")
    events = [request.json for request in receiver.requests if request.path == "/v2/enqueue"]
    assert [each["event_action"] for each in events] == ["trigger", "resolve"]
    assert events[0]["dedup_key"] == events[1]["dedup_key"]
    assert events[0]["payload"]["severity"] == "critical"
    assert events[0]["payload"]["summary"].startswith("TEST ")


def test_a_channel_that_fails_is_said_with_the_way_out_and_the_exit_code(
    receiver: HttpReceiver, tmp_path: Path
) -> None:
    receiver.answer = lambda request: Answer(403 if request.path == "/s3cr3t-path" else 202)
    gone = {"name": "gone", "url": "env:NOT_THERE"}
    answer = partwarden("test-alert", "-c", file(tmp_path, HOOK, PAGER, gone))
    assert answer.returncode == 3
    assert answer.stdout == (
        "hook   failed: the webhook answered 403 Forbidden\n"
        "       next: see that its URL and its key are right\n"
        "pager  told\n"
        "gone   failed: channel gone: the environment has no variable NOT_THERE\n"
        "       next: export NOT_THERE=…\n"
    )
    assert "s3cr3t" not in answer.stderr
    said = json.loads(partwarden("test-alert", "--channel", "hook", "--json", "-c", file(tmp_path, HOOK, PAGER)).stdout)
    assert said == {
        "channels": [
            {
                "channel": "hook",
                "outcome": "failed",
                "problem": "the webhook answered 403 Forbidden",
                "remedy": "see that its URL and its key are right",
            }
        ]
    }


def test_a_channel_for_what_is_critical_is_not_told_of_a_warning(receiver: HttpReceiver, tmp_path: Path) -> None:
    answer = partwarden("test-alert", "--severity", "warning", "-c", file(tmp_path, HOOK, PAGER))
    assert (answer.returncode, answer.stdout) == (
        0,
        "hook   told\npager  not told: it is told of what is critical only\n",
    )
    assert len(receiver.requests) == 1


def test_the_nearest_channel_is_suggested_and_none_is_said(tmp_path: Path) -> None:
    answer = partwarden("test-alert", "--channel", "hok", "-c", file(tmp_path, HOOK))
    assert answer.returncode == 3
    assert "did you mean hook?" in answer.stderr
    assert "the file has no channels" in partwarden("test-alert", "-c", file(tmp_path)).stderr
    assert "there is nothing to do for an agent" in partwarden("agent", "--once", "-c", file(tmp_path)).stderr


def test_the_agent_says_in_a_document_what_it_did(receiver: HttpReceiver, database: Database, tmp_path: Path) -> None:
    config_of(tmp_path, [HOOK], database)
    path = str(tmp_path / "partwarden.yaml")
    missing = partwarden("agent", "--once", "-c", path)
    assert missing.returncode == 3
    assert "has no partwarden" in missing.stdout
    with database.connect_owner() as owner:
        told_by_agents(owner, retry_after="1 minute")
        notify(owner, incident(owner))
        said = partwarden("agent", "--once", "--json", "--quiet", "-c", path)
        assert (said.returncode, said.stderr) == (0, "")
        (answer,) = json.loads(said.stdout)["databases"]
        assert answer == {
            "database": database.name,
            "told": 1,
            "failed": 0,
            "waiting": 0,
            "problems": [],
            "error": None,
        }
        receiver.answer = lambda _: Answer(500)
        notify(owner, incident(owner, "app.b"))
        failed = partwarden("agent", "--once", database.name, "-c", path)
    assert failed.returncode == 1
    assert failed.stdout == f"{database.name}: told 0; could not tell 1, which is tried again\n"


def test_a_channel_that_has_not_been_told_for_long_is_found_and_can_be_given_up(
    receiver: HttpReceiver, database: Database, tmp_path: Path
) -> None:
    def found() -> dict[str, tuple[str, str | None]]:
        report = check_database(database.owner_dsn)
        return {
            each.object: (each.detail["cause"], each.remedy)
            for each in report.findings
            if each.check == "delivery-failing"
        }

    receiver.answer = lambda request: Answer(404 if request.path == "/s3cr3t-path" else 202)
    config = config_of(tmp_path, [HOOK, PAGER], database)
    with database.connect_owner() as owner:
        told_by_agents(owner, retry_after="1 hour")
        notify(owner, incident(owner))
        owner.execute("update partwarden.notification set created_at = now() - interval '1 hour'")
        assert list(found()) == ["notifications"]
        assert found()["notifications"][0].startswith("No agent takes them: partwarden agent does not run")
        agent(config).once()
        assert found() == {
            "channel hook": (
                "the webhook answered 404 Not Found",
                (
                    "partwarden test-alert --channel hook  -- what it will never take: "
                    "select partwarden.give_up_deliveries('hook');"
                ),
            )
        }
        assert owner.execute("select partwarden.give_up_deliveries('hook')").fetchone() == (1,)
        assert found() == {}
        assert owner.execute("select count(*) from partwarden.notification where delivered_at is null").fetchone() == (
            0,
        )
        assert owner.execute("select last_error from partwarden.delivery where channel = 'hook'").fetchone() == (
            "given up: the webhook answered 404 Not Found",
        )
