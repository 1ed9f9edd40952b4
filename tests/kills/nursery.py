"""Commands as processes that can be killed, without the half second in which Python only imports.

A process that has imported everything forks one child for each command; what a child does is what ``partwarden`` does.
A kill that comes while a program is being loaded shows nothing, and most of them would.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self


@dataclass
class Command:
    """A command that runs, or has ended with ``status``: an exit code, or minus the signal that killed it."""

    pid: int
    output: Path
    started: float
    status: int | None = None

    def lines(self) -> list[str]:
        """What it has said so far, on standard output and standard error."""
        return self.output.read_text(errors="replace").splitlines()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, unless it has ended."""
        if self.status is None:
            with contextlib.suppress(ProcessLookupError):  # we have not been told yet
                os.kill(self.pid, number)


class Nursery:
    """Starts commands, and hears of their end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        self._changed = threading.Condition()
        self._commands: dict[int, Command] = {}
        self._mother = subprocess.Popen(
            [sys.executable, "-m", "tests.kills.nursery"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        assert self._mother.stdin is not None
        self._mother.stdin.close()
        self._mother.wait()
        self._listener.join()
        assert self._mother.stdout is not None
        self._mother.stdout.close()

    def start(self, *arguments: str) -> Command:
        """Start ``partwarden`` with these arguments."""
        self._count += 1
        output = self._folder / f"{self._count}.out"
        output.touch()
        assert self._mother.stdin is not None
        started = time.monotonic()
        self._mother.stdin.write(json.dumps([str(output), *arguments]) + "\n")
        self._mother.stdin.flush()
        with self._changed:
            known = self._changed.wait_for(
                lambda: next((each for each in self._commands.values() if each.output == output), None), timeout=30
            )
            assert known is not None
            known.started = started
            return known

    def wait(self, command: Command, seconds: float) -> int | None:
        """Its status, as soon as it has ended; None when it has not in that time."""
        with self._changed:
            self._changed.wait_for(lambda: command.status is not None, timeout=seconds)
        return command.status

    def _listen(self) -> None:
        assert self._mother.stdout is not None
        for line in self._mother.stdout:
            told = json.loads(line)
            with self._changed:
                if "output" in told:
                    self._commands[told["pid"]] = Command(told["pid"], Path(told["output"]), 0)
                else:
                    self._commands.pop(told["pid"]).status = told["status"]
                self._changed.notify_all()


def _be_the_mother() -> None:
    import partwarden.cli.drain
    from partwarden.cli import main  # and what it imports where it is used, no child should have to import
    from partwarden.draining import swap

    assert partwarden.cli.drain
    # So that a few thousand rows are more than one connection copies at once, and that not every other kill hits a drain
    # which only waits for a quieter moment.
    vars(swap).update(_CHUNK_PAGES=8, _STRICT_SECONDS=0.1)
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal is pytest's affair
    selector = selectors.DefaultSelector()
    selector.register(woken, selectors.EVENT_READ)
    selector.register(sys.stdin, selectors.EVENT_READ)
    waiting = b""
    while True:
        for key, _ in selector.select():
            if key.fd == woken:
                os.read(woken, 100)
                _tell_who_ended()
                continue
            read = os.read(sys.stdin.fileno(), 65536)
            if not read:
                return
            *lines, waiting = (waiting + read).split(b"\n")
            for line in lines:
                output, *arguments = json.loads(line)
                pid = os.fork()
                if pid == 0:
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    signal.signal(signal.SIGINT, signal.default_int_handler)
                    _be_a_child(output)
                    main(arguments)
                _tell(pid=pid, output=output)


def _be_a_child(output: str) -> None:
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(file, 1)
    os.dup2(file, 2)


def _tell_who_ended() -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        _tell(pid=pid, status=os.waitstatus_to_exitcode(status))


def _tell(**facts: object) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _be_the_mother()
