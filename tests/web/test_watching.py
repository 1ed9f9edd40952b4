"""However many people look, and whatever databases are like: each is asked once an interval, and nobody waits for another."""

from __future__ import annotations

import asyncio
import gc
import itertools
import logging
import resource
import signal
import socket
import time
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psycopg
import pytest
from bench.browsers import FLEET, Crowd

from partwarden.findings import Finding, Report
from partwarden.health import Target
from partwarden.install import install
from partwarden.survey import Survey, survey
from partwarden.web.watch import watching
from partwarden.web.watch.watching import Watch
from tests.partition_sets import daily_set
from tests.servers import Database, Server
from tests.waiting import run_apart, wait_until
from tests.web.looked_at import SET, open_streams, served, serving_process, sessions, silent_server

pytestmark = pytest.mark.one_server

EVERY = 0.5


@pytest.fixture
def app(database: Database) -> Database:
    """A database with a set."""
    with database.connect_owner() as owner:
        owner.execute("create schema app")
        daily_set(owner, SET)
    return database


@pytest.fixture
def other(server: Server) -> Iterator[Database]:
    made = server.new_database()
    yield made
    server.drop_database(made)


def target(database: Database, name: str = "app") -> Target:
    return Target(database.owner_dsn, name)


def errors_of(watch: Watch, name: str) -> str:
    newest = watch.newest(name)
    return "" if newest is None else newest.report.error or ""


def test_however_many_people_look_a_database_is_asked_once_an_interval(app: Database, other: Database) -> None:
    databases = {"app": app, "other": other}
    before = {name: sessions(each.server, each.name) for name, each in databases.items()}
    started = time.monotonic()
    with served(lambda: Watch([target(each, name) for name, each in databases.items()], interval=EVERY)) as page:
        looks = page.look(Crowd(people=20, wanderers=0, seconds=3))
    intervals = (time.monotonic() - started) / EVERY
    assert looks.refused == []
    assert len(looks.answers[FLEET]) >= 40
    for name, each in databases.items():
        asked = page.watch.version(name)
        assert 2 <= asked <= intervals + 1
        wait_until(lambda: sessions(each.server, each.name) - before[name] >= asked, "all of them are counted")  # noqa: B023
        assert sessions(each.server, each.name) - before[name] <= asked + 1  # the last may have been interrupted


def test_a_set_that_many_people_look_at_is_asked_for_once_for_each_survey(app: Database) -> None:
    with served(lambda: Watch([target(app)], interval=600)) as page:
        page.get("/database?name=app")
        before = sessions(app.server, app.name)
        for _ in range(2):
            answers = page.get_at_once(20, f"/set?database=app&name={SET}")
            assert {each.status_code for each in answers} == {200}
    wait_until(lambda: sessions(app.server, app.name) > before, "it is counted")
    assert sessions(app.server, app.name) == before + 1


def test_a_slow_database_is_asked_two_things_at_a_time_and_who_would_wait_long_is_told_so(
    app: Database, other: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("partwarden.database._LOCK_TIMEOUT_MS", 500)
    monkeypatch.setattr(watching, "_MOST_WAITING", 8)
    with (
        app.connect_owner() as owner,
        served(lambda: Watch([target(app), target(other, "other")], interval=600)) as page,
        ThreadPoolExecutor(14) as people,
    ):
        install(owner)
        for name in ("app", "other"):
            assert page.get(f"/database?name={name}").status_code == 200
        with owner.transaction():
            owner.execute("lock table partwarden.incident in access exclusive mode")
            waiting = [people.submit(page.get, f"/incident?database=app&id={number}") for number in range(14)]
            at_once = 0
            while not all(each.done() for each in waiting):
                at_once = max(at_once, asking(app))
                started = time.monotonic()
                assert page.get(f"/set?database=other&name=app.{started}").status_code == 404
                assert time.monotonic() - started < 2
        answers = [each.result() for each in waiting]
        assert at_once == 2
        assert {each.status_code for each in answers} == {503}
        sent_away = [each for each in answers if "Retry-After" in each.headers]
        assert 4 <= len(sent_away) < 14
        assert all("app answers slowly, and others wait for it already" in each.text for each in sent_away)
        assert all("lock timeout" in each.text for each in answers if each not in sent_away)

        answer = page.get("/incident?database=app&id=1")
        assert (answer.status_code, "there is none with that number" in answer.text) == (404, True)


def asking(database: Database) -> int:
    """How many sessions of ours are in a database."""
    with psycopg.connect(database.server.cluster.dsn(), autocommit=True) as administrator:
        row = administrator.execute(
            "select count(*) from pg_stat_activity where application_name = 'partwarden' and datname = %s",
            (database.name,),
        ).fetchone()
    assert row is not None
    return int(row[0])


def test_nothing_is_asked_while_nobody_looks_and_a_look_wakes_it(app: Database) -> None:
    with served(lambda: Watch([target(app)], interval=0.1, rest_after=0.6)) as page:
        page.wait_for_surveys("app", 1)
        wait_until(lambda: page.watch.rests, "it rests")

        def asked() -> tuple[int, int]:
            return page.watch.version("app"), sessions(app.server, app.name)

        time.sleep(1)  # a survey may not be over yet
        before = asked()
        time.sleep(1)
        assert asked() == before

        assert page.get("/database?name=app").status_code == 200
        page.wait_for_surveys("app", 1)


def test_who_only_holds_the_stream_open_looks(app: Database) -> None:
    with served(lambda: Watch([target(app)], interval=0.1, rest_after=0.3)) as page, open_streams(page.port, 1):
        time.sleep(0.6)
        assert not page.watch.rests
        page.wait_for_surveys("app", 1)


def test_databases_that_never_answer_hold_up_no_other(app: Database) -> None:
    with ExitStack() as stack:
        silent = [Target(stack.enter_context(silent_server()), f"silent {number}") for number in range(12)]
        page = stack.enter_context(served(lambda: Watch([*silent, target(app)], interval=EVERY, timeout=20)))
        started = time.monotonic()
        page.wait_for_surveys("app", 1)
        assert time.monotonic() - started < 8  # they are given up after 10
        page.wait_for_surveys("app", 3, seconds=8)
        assert page.watch.version("silent 0") == 0


def test_a_page_that_is_waited_for_is_looked_at_first(app: Database) -> None:
    with ExitStack() as stack:
        silent = [Target(stack.enter_context(silent_server()), f"silent {number}") for number in range(40)]
        page = stack.enter_context(served(lambda: Watch([*silent, target(app)], interval=60, timeout=20)))
        started = time.monotonic()
        assert page.get("/database?name=app").status_code == 200
        assert time.monotonic() - started < 5  # 40 of them by 8 for 2 seconds each make 10


def test_many_who_wait_for_a_database_that_hangs_hold_up_no_page_of_another(app: Database) -> None:
    with silent_server() as silent:
        targets = [Target(silent, "silent"), target(app)]
        with served(lambda: Watch(targets, interval=60, timeout=20)) as page, ExitStack() as stack:
            page.wait_for_surveys("app", 1)
            for _ in range(40):
                waiting = stack.enter_context(socket.create_connection(("127.0.0.1", page.port)))
                waiting.sendall(b"GET /database?name=silent HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            time.sleep(0.3)
            started = time.monotonic()
            assert page.get(f"/set?database=app&name={SET}").status_code == 200
            assert time.monotonic() - started < 2  # 40 of them by 8 for 2 seconds each make 10


def test_a_database_that_was_given_up_is_left_alone_for_an_interval(
    app: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[tuple[float, float]] = []

    def gives_up(_: object, __: object, *, name: str) -> Survey:
        began = time.monotonic()
        time.sleep(0.6)
        looks.append((began, time.monotonic()))
        return Survey(name, datetime.now(UTC), Report(name, error="no answer"), unseen="no answer")

    monkeypatch.setattr(watching, "survey", gives_up)
    with served(lambda: Watch([target(app)], interval=0.5)):
        wait_until(lambda: len(looks) >= 3, "it was looked at three times")
    assert all(began - ended >= 0.5 for (_, ended), (began, _) in itertools.pairwise(looks))


@pytest.mark.parametrize("unexpected", [KeyError("nobody thought of that"), StopIteration()], ids=repr)
def test_what_nobody_expected_does_not_end_the_watching(
    app: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, unexpected: Exception
) -> None:
    def fails(*_: object, **__: object) -> Survey:
        raise unexpected

    monkeypatch.setattr(watching, "survey", fails)
    with served(lambda: Watch([target(app)], interval=EVERY)) as page:
        page.wait_for_surveys("app", 1)
        assert "this is a bug of partwarden" in page.get("/database?name=app").text
        monkeypatch.setattr(watching, "survey", survey)
        wait_until(lambda: not errors_of(page.watch, "app"), "it is looked at again")
    told, *_ = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert told.getMessage() == "database app could not be looked at"
    assert told.exc_info is not None


def test_a_database_that_is_dropped_says_so_and_comes_back_when_it_does(app: Database, other: Database) -> None:
    with served(lambda: Watch([target(app), target(other, "other")], interval=EVERY)) as page:
        page.wait_for_surveys("other", 1)
        other.server.drop_database(other)
        wait_until(lambda: "does not exist" in errors_of(page.watch, "other"), "it is missed")
        page.wait_for_surveys("app", 2)
        assert not errors_of(page.watch, "app")
        other.server.new_database(other.name)
        wait_until(lambda: not errors_of(page.watch, "other"), "it is there again")


def test_one_database_under_two_names_is_two_rows(app: Database) -> None:
    with served(lambda: Watch([target(app, "first"), target(app, "second")], interval=600)) as page:
        for name in ("first", "second"):
            assert page.get(f"/database?name={name}").status_code == 200


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT], ids=lambda each: each.name)
def test_serve_ends_in_two_seconds_whoever_listens_and_whatever_hangs(
    app: Database, tmp_path: Path, ending: signal.Signals
) -> None:
    with silent_server() as silent:
        targets = [target(app), Target(silent, "silent")]
        with serving_process(targets, tmp_path) as (process, port), ExitStack() as stack:
            waiting = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            waiting.sendall(b"GET /database?name=silent HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            streams = stack.enter_context(
                open_streams(port, 50)
            )  # they are answered: so it was read what was sent before
            started = time.monotonic()
            process.send_signal(ending)
            code = process.wait(10)
            assert time.monotonic() - started < 2
            assert code == 0
            answer = _all_of(waiting)
            assert answer.startswith(b"HTTP/1.1 503 ")
            assert b"partwarden serve was ended before the database answered" in answer
            for stream in streams:
                assert _all_of(stream).endswith(b"0\r\n\r\n")  # a chunked answer came to its end, and was not cut off
            assert process.stderr is not None
            assert "Traceback" not in process.stderr.read()


def test_who_asks_for_the_head_of_a_stream_holds_none(app: Database) -> None:
    with (
        served(lambda: Watch([target(app)], interval=60)) as page,
        httpx.Client(base_url=f"http://127.0.0.1:{page.port}", timeout=5, verify=False) as client,  # noqa: S501 - no https
    ):
        answer = client.head("/events")
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert page.watch.streams == 0
        assert client.get("/healthz").text == "ok\n"


def test_people_who_go_leave_nothing_behind(app: Database) -> None:
    with served(lambda: Watch([target(app)], interval=EVERY)) as page:
        page.wait_for_surveys("app", 1)
        with open_streams(page.port, 30):
            wait_until(lambda: page.watch.streams == 30, "all of them listen")
        wait_until(lambda: page.watch.streams == 0, "nobody does")
        page.wait_for_surveys("app", 1)


def test_who_reads_slowly_gets_the_newest_and_not_all_that_was(app: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_OFTEN", 0.01)
    answer = survey(app.owner_dsn, name="app")
    monkeypatch.setattr(watching, "survey", lambda *_, **__: answer)

    async def read_slowly() -> tuple[list[int | None], int]:
        watch = Watch([target(app)], interval=0.01)
        read = []
        async with watch.watching():
            changes = watch.changes()
            for _ in range(3):
                read.append(await anext(changes))
                behind = watch.version() + 5
                while watch.version() < behind:
                    await asyncio.sleep(0.01)
            newest = watch.version()
            read.append(await anext(changes))
            await changes.aclose()
        return read, newest

    read, newest = run_apart(read_slowly())
    assert None not in read
    assert read[-1] is not None
    assert read[-1] >= newest
    assert newest >= 15


def test_memory_does_not_grow_with_rounds_nor_with_visitors(app: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_OFTEN", 0.01)
    answer = survey(app.owner_dsn, name="app")
    numbers = itertools.count(1)

    def always_something_else(_: object, __: object, *, name: str) -> Survey:
        evidence = {"rows": f"{next(numbers):06}" * 30_000}
        found = Finding("default-not-empty", "warning", name, SET, "rows wait", evidence, None, None)
        return replace(answer, name=name, report=replace(answer.report, findings=(found,)))

    def rounds(number: int) -> int:
        wanted = page.watch.version(names[-1]) + number
        while page.watch.version(names[-1]) < wanted:
            assert page.get(f"/?q={next(numbers)}{'x' * 5_000}").status_code == 200
            page.get(f"/set?database={names[0]}&name=app.none{next(numbers)}")
        gc.collect()
        return _resident_bytes()

    monkeypatch.setattr(watching, "survey", always_something_else)
    names = [f"shard {number}" for number in range(5)]
    with (
        served(lambda: Watch([target(app, name) for name in names], interval=0.01)) as page,
        open_streams(page.port, 5),
    ):
        after_some = rounds(20)
        assert rounds(200) < after_some + 60_000_000  # of 180 MB that went through each thousand looks


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def test_what_was_answered_of_an_older_survey_is_not_kept(app: Database) -> None:
    class Answered:
        """An answer that tells when it is gone."""

    async def is_kept() -> bool:
        watch = Watch([target(app)], interval=0.2)
        async with watch.watching():
            await watch.first("app")
            answered = weakref.ref(await watch.ask("app", "something", lambda _: Answered()))
            version = watch.version("app")
            while watch.version("app") < version + 2:
                await asyncio.sleep(0.05)
            gc.collect()
            return answered() is not None

    assert not run_apart(is_kept())


def _all_of(stream: socket.socket) -> bytes:
    """What has been said on a connection until it was closed."""
    said = b""
    while more := stream.recv(4096):
        said += more
    return said


def test_a_look_that_takes_long_is_taken_less_often(app: Database) -> None:
    with served(lambda: Watch([target(app)], interval=0.05, share=0.001)) as page:
        wait_until(lambda: page.watch.newest("app") is not None, "the first look")
        assert page.watch.version("app") == 1
        time.sleep(1)  # twenty intervals, and no thousand times as long as a look
        assert page.watch.version("app") == 1
