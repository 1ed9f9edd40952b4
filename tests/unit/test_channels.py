"""Who is told of what, in which form, and where a secret may stand; without a server of any kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from partwarden.channels.channel import Channel
from partwarden.channels.message import Message, Told, one_line
from partwarden.channels.routing import routed
from partwarden.channels.secret import Secret, without
from partwarden.config import BadFile, read_config
from partwarden.config import Channel as Described
from partwarden.config.references import Reference, is_harmless
from partwarden.errors import ChannelFailed


def told(number: int = 1, **more: object) -> Told:
    facts = {
        "id": number,
        "event": "opened",
        "check": "gap",
        "severity": "critical",
        "object": "app.a",
        "summary": "app.a has a gap",
        "detail": {},
        **more,
    }
    return Told.read(facts)


def message(*incidents: Told) -> Message:
    return Message("an-id", 1, "prod-eu", "app", "subject", "text", incidents)


def channel(**keys: object) -> Described:
    return Described.model_validate({"name": "it", "url": "env:URL", **keys})


def is_told(described: Described, incident: Told, *, database: str = "prod-eu", before: bool = False) -> bool:
    return bool(routed([described], database, [incident], {incident.id: ["it"]} if before else {}))


def test_a_channel_without_wishes_is_told_of_everything() -> None:
    for event in ("opened", "worsened", "reopened", "reminder", "resolved"):
        assert is_told(channel(), told(event=event, severity="warning", object="job 5 (it)"))


def test_a_channel_is_told_of_what_is_bad_enough() -> None:
    assert not is_told(channel(severity="critical"), told(severity="warning"))
    assert is_told(channel(severity="critical"), told(severity="critical"))


def test_whoever_heard_of_a_beginning_hears_of_the_end_however_bad_it_was_by_then() -> None:
    ended = told(event="resolved", severity="warning")
    assert is_told(channel(severity="critical"), ended, before=True)
    assert not is_told(channel(severity="critical"), ended)
    assert not is_told(channel(severity="critical", events=("opened",)), ended, before=True)


def test_a_channel_is_told_of_its_databases() -> None:
    assert is_told(channel(databases=("prod-*", "other")), told(), database="prod-us")
    assert not is_told(channel(databases=("prod-*", "other")), told(), database="test")


@pytest.mark.parametrize(
    ("pattern", "name", "detail", "is_meant"),
    [
        ("app.*", "app.a", {}, True),
        ("app.a", "app.a", {}, True),
        ("app.a", "app.ab", {}, False),
        ("app.*", 'app."Weird ""Table"", ünï"', {}, True),
        ("app.*", '"app.x".a', {}, False),
        ("app.a", "app.a_p20260101", {"set": "app.a"}, True),
        ("app.*", "job 5 (maintenance)", {}, False),
        ("*.*", "pg_cron", {}, False),
        ("*.*", "notifications", {}, False),
    ],
)
def test_a_channel_is_told_of_its_partition_sets(
    pattern: str, name: str, detail: dict[str, str], is_meant: bool
) -> None:
    assert is_told(channel(sets=(pattern,)), told(object=name, detail=detail)) is is_meant


def test_of_several_incidents_each_goes_where_it_belongs() -> None:
    all_of_it, pager = channel(), channel(name="pager", severity="critical")
    nobody = channel(name="nobody", databases=("other",))
    incidents = [told(1), told(2, severity="warning")]
    assert routed([all_of_it, pager, nobody], "app", incidents, {}) == {"it": [1, 2], "pager": [1]}


def test_an_incident_has_one_key_however_long_its_names_are() -> None:
    short = told(7)
    assert message(short).key_of(short) == "prod-eu/app/gap/app.a/7"
    long, other = told(8, object="app." + "x" * 500), told(9, object="app." + "x" * 500)
    assert len(message(long).key_of(long)) == 255
    assert message(long).key_of(long) != message(other).key_of(other)
    assert "\n" not in message(told(object="two\nlines")).key_of(told(object="two\nlines"))


def test_a_message_is_as_bad_as_the_worst_that_is_not_over() -> None:
    over = told(event="resolved")
    assert message(over).severity == "over"
    assert message(over, told(severity="warning")).severity == "warning"
    assert message(told(severity="warning"), told()).severity == "critical"


def test_a_line_holds_no_control_characters() -> None:
    assert one_line("a\r\nBcc: x@example.com\x00\u2028b", 100) == "a Bcc: x@example.com b"
    assert one_line("x" * 300, 10) == "x" * 9 + "…"


@pytest.mark.parametrize(
    "url",
    [
        "mailto://smtp.example.com?from=a@example.com&to=b@example.com",
        "mailto://smtp.example.com:25?from=a@example.com&to=b@example.com&mode=starttls",
        "mailtos://smtp.example.com?from=a@example.com&to=b@example.com",
    ],
)
def test_a_mail_url_without_a_password_may_stand_in_the_file(url: str) -> None:
    assert is_harmless(url)
    assert channel(url=url).url == url


@pytest.mark.parametrize(
    "url",
    [
        "mailto://user:s3cr3t-word@smtp.example.com?from=a@example.com",
        "mailto://smtp.example.com?from=a@example.com&pass=s3cr3t-word",
        "mailto://smtp.example.com?from=a@example.com#s3cr3t-word",
        "slack://T1JJ3T3L2/A1BRTD4JD/s3cr3t-word",
        "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/s3cr3t-word",
        "https://example.com/s3cr3t-word",
        "pagerduty://s3cr3t-word",
        "s3cr3t-word",
        "env:s3cr3t-word!",
        "file:s3cr3t-word",
        "aws-secret:s3cr3t word",
    ],
)
def test_any_other_url_in_the_file_is_refused_and_not_repeated(url: str, tmp_path: Path) -> None:
    file = tmp_path / "partwarden.yaml"
    file.write_text(f"channels:\n  - name: chat\n    url: '{url}'\ndatabases:\n  - {{name: app, dsn: service=app}}\n")
    with pytest.raises(BadFile) as refused:
        read_config(file)
    (problem,) = refused.value.problems
    assert (problem.line, problem.column, problem.key) == (3, 10, "channels[0].url")
    assert "s3cr3t" not in str(refused.value)


def test_a_variable_in_the_file_is_no_way_around_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_URL", "slack://T1JJ3T3L2/A1BRTD4JD/s3cr3t-word")
    file = tmp_path / "partwarden.yaml"
    file.write_text("channels:\n  - {name: chat, url: '${SLACK_URL}'}\ndatabases:\n  - {name: app, dsn: service=app}\n")
    with pytest.raises(BadFile) as refused:
        read_config(file)
    assert "s3cr3t" not in str(refused.value)


@pytest.mark.parametrize(
    ("channels", "place", "message"),
    [
        ("{name: a, url: 'env:A'}\n  - {name: a, url: 'env:B'}", (3, 6), "a is there already"),
        (
            "{name: a, url: 'env:A', databases: 'prod-*'}",
            (2, 29),
            "no database of the file is called prod-*; there are app",
        ),
        ("{name: a, url: 'env:A', sets: orders}", (2, 35), "name its schema, too: public.orders"),
        ("{name: a, url: 'env:A', severity: fatal}", (2, 39), "this is one of warning, critical"),
        ("{name: a, url: 'env:A', events: [opend]}", (2, 38), "did you mean opened?"),
        ("{name: a b, url: 'env:A'}", (2, 12), "a channel's name has letters"),
        ("{name: a}", (2, 5), "this key has to be there"),
        ("{name: a, url: 'env:A', serverity: critical}", (2, 29), "did you mean severity?"),
    ],
)
def test_what_is_wrong_with_a_channel_is_said_with_its_place(
    channels: str, place: tuple[int, int], message: str, tmp_path: Path
) -> None:
    file = tmp_path / "partwarden.yaml"
    file.write_text(f"channels:\n  - {channels}\ndatabases:\n  - {{name: app, dsn: service=app}}\n")
    with pytest.raises(BadFile) as refused:
        read_config(file)
    (problem,) = refused.value.problems
    assert message in problem.message
    assert (problem.line, problem.column) == place


def test_a_secret_is_fetched_anew_when_it_was_of_no_use(tmp_path: Path) -> None:
    place = tmp_path / "url"
    place.write_text("first\n")
    secret = Secret(Reference.read(f"file:{place}"), "chat")
    assert secret.value() == "first"
    place.write_text("second\n")
    assert secret.value() == "first"
    secret.forget()
    assert secret.value() == "second"


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("env:NOT_THERE", "channel it: the environment has no variable NOT_THERE"),
        ("file:/no/such/file", "channel it: could not read /no/such/file: No such file or directory"),
    ],
)
def test_a_secret_that_is_not_there_is_said(url: str, problem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOT_THERE", raising=False)
    with pytest.raises(ChannelFailed) as failed:
        Channel(channel(url=url)).open()
    assert failed.value.problem == problem
    assert failed.value.lasts


@pytest.mark.parametrize(
    "url",
    [
        "nosuchthing://s3cr3t-word/s3cr3t-word",
        "s3cr3t-word",
        "pagerduty://?region=s3cr3t-word",
        "pagerduty://s3cr3t-word?api=http://example.com",
        "opsgenie://s3cr3t-word?region=mars",
        "https:///s3cr3t-word",
        "mailto://user:s3cr3t-word@smtp.example.com?from=a@example.com&to=b@example.com",
        "https://[s3cr3t-word",
    ],
)
def test_a_url_that_leads_nowhere_is_refused_and_not_repeated(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("URL", url)
    with pytest.raises(ChannelFailed) as failed:
        Channel(channel()).send(message(told()), timeout=1)
    assert "s3cr3t" not in f"{failed.value} {failed.value.remedy}"
    assert failed.value.__context__ is None or "s3cr3t" not in str(failed.value.__context__)


def test_a_key_is_for_webhooks_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("URL", "pagerduty://0123456789")
    monkeypatch.setenv("KEY", "a key")
    with pytest.raises(ChannelFailed, match="a signing_key is for webhooks, and this is pagerduty"):
        Channel(channel(signing_key="env:KEY")).open()


def test_parts_of_a_url_are_kept_out_of_what_is_said() -> None:
    said = without("401 for key abcdefgh at /T0123456 of hooks.example.com", "slack://T0123456/abcdefgh?x=1")
    assert said == "401 for key … at /… of hooks.example.com"
