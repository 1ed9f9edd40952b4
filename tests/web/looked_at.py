"""The page on real databases, served on 127.0.0.1, and people who look at it."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import yaml
from bench.browsers import Crowd, Looks, look

from partwarden.health import Target
from partwarden.web.application import application
from partwarden.web.listening import listening
from partwarden.web.watch.watching import Watch
from tests.servers import Server
from tests.waiting import run_apart, wait_until

SET = "app.events"

_ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)/")


@dataclass(frozen=True)
class Served:
    """A page that is served, and what it watches."""

    port: int
    watch: Watch

    def get(self, path: str) -> httpx.Response:
        """Load a page."""
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=30, verify=False)  # noqa: S501 - it is no https

    def get_at_once(self, number: int, path: str) -> list[httpx.Response]:
        """Have so many people load a page in the same moment."""
        with ThreadPoolExecutor(number) as people:
            return list(people.map(self.get, [path] * number))

    def look(self, crowd: Crowd) -> Looks:
        """Have people look at it."""
        looks = Looks()
        run_apart(look(self.port, crowd, self.watch.names, (SET,), looks))
        return looks

    def wait_for_surveys(self, name: str, number: int, *, seconds: float = 30) -> None:
        """Until a database was looked at so many times more."""
        wanted = self.watch.version(name) + number
        wait_until(lambda: self.watch.version(name) >= wanted, f"{name} was looked at {number} times", seconds=seconds)


@contextmanager
def served(make: Callable[[], Watch]) -> Iterator[Served]:
    """The page of a watch as long as the block lasts; it has ended as it should when the block has."""
    with ExitStack() as stack:
        watch = make()
        server = listening(application(watch), host="127.0.0.1", port=0, leaving=watch.end)
        thread = threading.Thread(target=server.run)
        thread.start()

        def end() -> None:
            server.should_exit = True
            thread.join(10)
            assert not thread.is_alive()

        stack.callback(end)
        wait_until(lambda: server.started or not thread.is_alive(), "the page listens")
        yield Served(server.servers[0].sockets[0].getsockname()[1], watch)


@contextmanager
def open_streams(port: int, number: int, path: str = "/events") -> Iterator[list[socket.socket]]:
    """So many people who hold a stream of events; each has got its first line."""
    with ExitStack() as stack:
        streams = []
        for _ in range(number):
            stream = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
            stream.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            streams.append(stream)
        for stream in streams:
            assert b"200 OK" in stream.recv(4096)
        yield streams


@contextmanager
def silent_server() -> Iterator[str]:
    """Something that lets everybody connect and never says a word; a connection string that leads there."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as silent:
        yield f"host=127.0.0.1 port={silent.getsockname()[1]} dbname=app user=dba"


@contextmanager
def serving_process(
    targets: Sequence[Target], folder: Path, *options: str
) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """``partwarden serve`` as a process of its own, and its port."""
    file = folder / "partwarden.yaml"
    file.write_text(yaml.safe_dump({"databases": [{"name": each.name, "dsn": each.dsn} for each in targets]}))
    command = [sys.executable, "-m", "partwarden", "serve", "-c", str(file), "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            found = _ADDRESS.search(process.stderr.readline())
            assert found is not None
            port = int(found[1])
            wait_until(lambda: _answers(port), "the page answers")
            yield process, port
        finally:
            process.kill()


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=10, verify=False).status_code == 200  # noqa: S501
    except httpx.TransportError:
        return False


def sessions(server: Server, name: str) -> int:
    """How often anybody has connected to a database."""
    with psycopg.connect(server.cluster.dsn(), autocommit=True) as connection:
        row = connection.execute("select sessions from pg_stat_database where datname = %s", (name,)).fetchone()
    assert row is not None
    return int(row[0])
