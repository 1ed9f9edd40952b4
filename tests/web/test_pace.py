"""How often a database is looked at, and which comes first: by looks that take as long as a test says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import aclosing
from datetime import UTC, datetime

import pytest

from partwarden.findings import Report
from partwarden.health import Target
from partwarden.survey import Survey
from partwarden.web.watch import watching
from partwarden.web.watch.watching import Watch
from tests.waiting import run_apart

SECONDS = 20


class Looks:
    """Looks at databases that take so many seconds each, and what has become of them."""

    def __init__(self, seconds: Mapping[str, float], *, error: str | None = None) -> None:
        self.seconds = seconds
        self.begun = dict.fromkeys(seconds, 0)
        self.error = error

    def __call__(self, _: object, __: object, *, name: str) -> Survey:
        """Take one."""
        self.begun[name] += 1
        time.sleep(self.seconds[name])
        return Survey(name, datetime.now(UTC), Report(name, error=self.error), unseen=self.error)

    def watch(self, *, interval: float, share: float = 1.0) -> Watch:
        """Watch the databases by looks like these."""
        return Watch([Target("", name) for name in self.seconds], interval=interval, share=share)


async def _until_looked_at(watch: Watch, name: str, times: int) -> None:
    async with asyncio.timeout(SECONDS):
        while watch.version(name) < times:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("takes", [0.0, 0.6], ids=["it is over", "it goes on"])
def test_whom_a_page_has_had_looked_at_is_not_looked_at_again_when_its_turn_comes(
    takes: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "_AT_A_TIME", 1)
    looks = Looks({"before it": 0.3, "app": takes})
    monkeypatch.setattr(watching, "survey", looks)

    async def look() -> None:
        watch = looks.watch(interval=60)
        async with watch.watching():
            await asyncio.sleep(0.1)
            assert looks.begun == {"before it": 1, "app": 0}
            await watch.first("app")
            await _until_looked_at(watch, "before it", 1)
            await asyncio.sleep(0.2)  # its turn has come
            assert looks.begun == {"before it": 1, "app": 1}

    run_apart(look())


def test_those_that_are_slow_do_not_take_the_places_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_AT_A_TIME", 1)
    monkeypatch.setattr(watching, "_PATIENCE", 0.2)
    slow = {f"slow {number}": 0.4 for number in range(6)}
    looks = Looks({**slow, "app": 0.0})
    monkeypatch.setattr(watching, "survey", looks)

    async def look() -> int:
        watch = looks.watch(interval=0.1)
        async with watch.watching():
            for name in slow:
                await _until_looked_at(watch, name, 1)
            before = watch.version("app")
            await asyncio.sleep(2)
            return watch.version("app") - before

    assert run_apart(look()) >= 6  # behind six by 0.2 seconds each it would be two


def test_however_long_a_look_takes_the_next_one_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_LONGEST_PAUSE", 0.5)
    looks = Looks({"app": 0.1})
    monkeypatch.setattr(watching, "survey", looks)

    async def look() -> None:
        watch = looks.watch(interval=0.1, share=0.001)
        async with watch.watching():
            await _until_looked_at(watch, "app", 2)

    run_apart(look())


def test_who_was_given_up_after_long_is_asked_again_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_SOONER", 0.005)
    looks = Looks({"app": 0.5}, error="no answer")
    monkeypatch.setattr(watching, "survey", looks)

    async def look() -> None:
        watch = looks.watch(interval=0.1, share=0.01)
        async with watch.watching():
            await _until_looked_at(watch, "app", 2)

    run_apart(look())


def test_a_stream_without_news_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_HEARTBEAT", 0.2)
    looks = Looks({"app": 0.0})
    monkeypatch.setattr(watching, "survey", looks)

    async def listen() -> int | None:
        watch = looks.watch(interval=60)
        async with watch.watching():
            await watch.first("app")
            async with aclosing(watch.changes("app")) as changes, asyncio.timeout(SECONDS):
                return await anext(changes)

    assert run_apart(listen()) is None


def test_news_of_many_databases_come_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_OFTEN", 0.5)
    looks = Looks({f"shard {number}": 0.01 for number in range(10)})
    monkeypatch.setattr(watching, "survey", looks)

    async def listen() -> tuple[int, int]:
        watch = looks.watch(interval=0.05)
        async with watch.watching():
            await asyncio.sleep(1.5)
            return watch.version(), sum(looks.begun.values())

    told, looked = run_apart(listen())
    assert 1 <= told <= 4
    assert looked > 10 * told


def test_a_stream_of_one_database_is_not_told_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_OFTEN", 0.01)
    looks = Looks({"busy": 0.0, "quiet": 1.0})
    monkeypatch.setattr(watching, "survey", looks)

    async def listen() -> int | None:
        watch = looks.watch(interval=0.05)
        async with watch.watching(), aclosing(watch.changes("quiet")) as changes, asyncio.timeout(SECONDS):
            told = await anext(changes)
            assert watch.version("busy") > 5
            return told

    assert run_apart(listen()) == 1


def test_those_who_wait_for_one_database_take_one_place_of_those_that_pages_have(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watching, "_AT_A_TIME", 1)
    monkeypatch.setattr(watching, "_PATIENCE", 0.5)
    looks = Looks({"hangs": 4.0, "hangs too": 4.0, "app": 0.0})
    monkeypatch.setattr(watching, "survey", looks)

    async def wait() -> float:
        watch = looks.watch(interval=60)
        people = [asyncio.create_task(watch.first(name)) for name in ("hangs", *["hangs too"] * 10)]
        await asyncio.sleep(0.1)
        started = time.monotonic()
        await watch.ask("app", "something", lambda _: None)
        waited = time.monotonic() - started
        for each in people:
            each.cancel()
        await asyncio.gather(*people, return_exceptions=True)
        return waited

    assert run_apart(wait()) < 3  # two of them by half a second each; eleven would be more than five


def test_what_was_asked_before_the_newest_survey_is_asked_again_when_it_was_answered_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = Looks({"app": 0.0})
    monkeypatch.setattr(watching, "survey", looks)
    asked: list[float] = []

    def question(_: str) -> None:
        asked.append(time.monotonic())
        time.sleep(0.6)

    async def ask() -> None:
        watch = looks.watch(interval=0.2)
        async with watch.watching():
            await watch.first("app")
            await watch.ask("app", "something", question)
            await watch.ask("app", "something", question)

    run_apart(ask())
    assert len(asked) == 2


def test_a_stream_that_waits_for_news_ends_with_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = Looks({"app": 0.0})
    monkeypatch.setattr(watching, "survey", looks)

    async def listen() -> list[int | None]:
        watch = looks.watch(interval=60)
        async with watch.watching():
            await watch.first("app")
            await asyncio.sleep(0.1)  # it was told
            changes = watch.changes()

            async def all_of_them() -> list[int | None]:
                return [each async for each in changes]

            stream = asyncio.create_task(all_of_them())
            await asyncio.sleep(0.1)
            await watch.end()
            async with asyncio.timeout(1):
                return await stream

    assert run_apart(listen()) == []


def test_what_was_asked_is_asked_again_when_somebody_has_changed_something(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "survey", Looks({"app": 0.0}))
    asked: list[str] = []

    async def ask() -> None:
        watch = Looks({"app": 0.0}).watch(interval=60)
        await watch.ask("app", "something", asked.append)
        await watch.ask("app", "something", asked.append)
        assert len(asked) == 1
        watch.forget("app")
        await watch.ask("app", "something", asked.append)

    run_apart(ask())
    assert len(asked) == 2


def test_those_that_are_slow_do_not_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_PATIENCE", 0.1)
    slow = {f"slow {number}": 0.6 for number in range(6)}
    looks = Looks(slow)
    monkeypatch.setattr(watching, "survey", looks)

    async def look() -> float:
        watch = looks.watch(interval=0.1)
        async with watch.watching():
            for name in slow:
                await _until_looked_at(watch, name, 1)
            started = time.monotonic()
            for name in slow:
                await _until_looked_at(watch, name, 3)
            return time.monotonic() - started

    assert run_apart(look()) < 4  # one after the other two rounds would be 7
