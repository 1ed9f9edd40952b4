"""People who look at the page: each loads it with what belongs to it, holds its stream of events, asks anew at each event.

What a browser would do, without one: drawing is not measured, and fifty browsers would take more of the machine than
what they look at.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from urllib.parse import urlencode

ASSETS = ("/static/style.css", "/static/mark.svg", "/static/vendor/htmx.min.js", "/static/vendor/hx-sse.min.js")

FLEET = "fleet, at an event"
FIRST = "fleet, with all assets"
SEARCH = "search, filter, next page"
DATABASE = "database"
SET = "set"
INCIDENTS = "incidents"

_STAYS = (1.0, 4.0)


@dataclass(frozen=True)
class Answer:
    """What came back: ``wire`` is how many bytes of body there were on the wire."""

    status: int
    wire: int
    seconds: float


@dataclass
class Looks:
    """What people got, by what they asked for; ``events`` is how many they were told of, ``refused`` what was no page."""

    answers: dict[str, list[Answer]] = field(default_factory=lambda: defaultdict(list))
    events: int = 0
    refused: list[str] = field(default_factory=list)

    def milliseconds(self, *kinds: str) -> list[float]:
        """How long each answer took, in order of length; of these kinds, or of all."""
        return sorted(1000 * each.seconds for kind in kinds or self.answers for each in self.answers.get(kind, ()))

    def wire(self, kind: str) -> float:
        """How many bytes an answer of this kind has, the median."""
        return median(each.wire for each in self.answers[kind])


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value that ``share`` of them do not exceed."""
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


@dataclass(frozen=True)
class Crowd:
    """So many people, who look for so many seconds and all come within one; of them ``wanderers`` visit other pages, too."""

    people: int
    wanderers: int
    seconds: float


async def look(port: int, crowd: Crowd, names: Sequence[str], sets: Sequence[str], looks: Looks) -> None:
    """Have them look at the page; ``names`` are databases, ``sets`` are sets that each of them has."""
    draw = random.Random(crowd.people)  # noqa: S311
    ends = time.monotonic() + crowd.seconds
    people = [
        _Person(port, looks, draw, names, sets).stay(index / crowd.people, ends, wanders=index < crowd.wanderers)
        for index in range(crowd.people)
    ]
    await asyncio.gather(*people)


class _Person:
    """Somebody with a connection for pages, and one for events."""

    def __init__(self, port: int, looks: Looks, draw: random.Random, names: Sequence[str], sets: Sequence[str]) -> None:
        self._pages = Connection(port)
        self._port = port
        self._looks = looks
        self._draw = draw
        self._names = names
        self._sets = sets

    async def stay(self, come_after: float, ends: float, *, wanders: bool) -> None:
        """Look until ``ends``, by the monotonic clock."""
        await asyncio.sleep(come_after)
        started = time.monotonic()
        first = await self._get(FLEET, "/")
        wire = first.wire
        for asset in ASSETS:
            wire += (await self._pages.get(asset)).wire
        self._looks.answers[FIRST].append(Answer(200, wire, time.monotonic() - started))
        kind, path, stream = FLEET, "/", "/events"
        while time.monotonic() < ends:
            leaves = min(ends, time.monotonic() + self._draw.uniform(*_STAYS)) if wanders else ends
            await self._watch(kind, path, stream, leaves)
            if wanders and time.monotonic() < ends:
                kind, path, stream = self._somewhere()
                await self._get(kind, path)
        self._pages.close()

    async def _watch(self, kind: str, path: str, stream: str, leaves: float) -> None:
        """Ask anew at each event, until it is time to leave."""
        events = Connection(self._port)
        try:
            async with asyncio.timeout(max(leaves - time.monotonic(), 0)):
                async for _ in events.lines(stream):
                    self._looks.events += 1
                    # What has begun is waited for: a page that comes too late counts as well.
                    await asyncio.shield(asyncio.ensure_future(self._get(kind, path)))
        except TimeoutError:
            pass
        finally:
            events.close()
        await self._pages.free()

    def _somewhere(self) -> tuple[str, str, str]:
        name, parent = self._draw.choice(self._names), self._draw.choice(self._sets)
        here = urlencode({"database": name})
        return self._draw.choice(
            (
                (SEARCH, "/?" + urlencode({"q": name[:-1]}), "/events"),
                (SEARCH, "/?standing=critical", "/events"),
                (SEARCH, f"/?page={self._draw.randint(2, 5)}", "/events"),
                (DATABASE, "/database?" + urlencode({"name": name}), f"/events?{here}"),
                (SET, "/set?" + urlencode({"database": name, "name": parent}), f"/events?{here}"),
                (INCIDENTS, "/incidents", "/events"),
            )
        )

    async def _get(self, kind: str, path: str) -> Answer:
        answer = await self._pages.get(path)
        self._looks.answers[kind].append(answer)
        if answer.status != 200:
            self._looks.refused.append(f"{answer.status} {path}")
        return answer


class Connection:
    """A connection that is kept; one request at a time."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._turn = asyncio.Lock()

    async def get(self, path: str) -> Answer:
        """A page, compressed as a browser asks for it."""
        async with self._turn:
            started = time.monotonic()
            reader, status, headers = await self._ask(path)
            wire = 0
            if headers.get("transfer-encoding") == "chunked":
                while size := int(await reader.readline(), 16):
                    wire += len(await reader.readexactly(size + 2)) - 2
                await reader.readline()
            else:
                wire = len(await reader.readexactly(int(headers["content-length"])))
            return Answer(status, wire, time.monotonic() - started)

    async def lines(self, path: str) -> AsyncIterator[str]:
        """The data of each event of a stream, as long as it goes on."""
        reader, status, _ = await self._ask(path)
        assert status == 200, f"{status} {path}"
        while line := await reader.readline():
            if line.startswith(b"data: "):
                yield line.removeprefix(b"data: ").decode().strip()

    async def free(self) -> None:
        """Return when the answer that is being waited for has come."""
        async with self._turn:
            pass

    def close(self) -> None:
        """Hang up."""
        if self._streams is not None:
            self._streams[1].close()

    async def _ask(self, path: str) -> tuple[asyncio.StreamReader, int, Mapping[str, str]]:
        if self._streams is None or self._streams[0].at_eof():  # servers hang up on who is silent for some seconds
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nAccept-Encoding: gzip\r\nAccept: */*\r\n\r\n".encode()
        )
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        return reader, int(head[0].split()[1]), headers
