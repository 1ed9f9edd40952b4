"""A Python module that runs on in the background, on a port of loopback, and is found again by later commands."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from partwarden.errors import StackFailed
from partwarden.local.cluster import free_port, port_is_free, write_private

_START_SECONDS = 30
_STOP_SECONDS = 10
_POLL_SECONDS = 0.02

# All that a daemon gets of our environment: it must meet no AWS but the local one, and no proxy.
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV")


class Daemon:
    """One background process, ``python -m MODULE``, with its log, pid and port in ``folder``. It outlives us.

    ``arguments`` and ``environment`` are asked for with the port it is to listen on; ``is_ready`` tells whether
    it answers there.
    """

    def __init__(
        self,
        folder: Path,
        module: str,
        *,
        is_ready: Callable[[int], bool],
        arguments: Callable[[int], Sequence[str]] = lambda _: (),
        environment: Callable[[int], Mapping[str, str]] = lambda _: {},
        port: int | None = None,
    ) -> None:
        self.folder = folder.absolute()
        self.name = module.rpartition(".")[2]
        self.log_file = self.folder / f"{self.name}.log"
        self.room = self.folder / "tmp"
        self._module = module
        self._is_ready = is_ready
        self._arguments = arguments
        self._environment = environment
        self._wanted_port = port
        self._pid_file = self.folder / f"{self.name}.pid"
        self._port_file = self.folder / f"{self.name}.port"
        self._child: int | None = None

    @property
    def port(self) -> int:
        """The port on 127.0.0.1 of its last start. Raises StackFailed before the first."""
        port = _number_in(self._port_file)
        if port is None:
            raise StackFailed(
                f"the {self.name} in {self.folder} has never been started", remedy="partwarden local start"
            )
        return port

    def start(self) -> bool:
        """Start it where it does not run, and wait until it answers. True if it was started.

        It keeps its port from start to start; when somebody else has taken that one, it moves to a free one, unless
        the port was chosen. Raises StackFailed when the chosen port is taken or it does not come up.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._alone():
            if self.is_running():
                self._refuse_other_port()
                return False
            port = self._settle_port()
            pid = self._spawn(port)
            try:
                write_private(self._pid_file, f"{pid}\n")
                write_private(self._port_file, f"{port}\n")
                self._wait_until_ready(pid, port)
            except BaseException:
                self._end(pid)
                self._pid_file.unlink(missing_ok=True)
                raise
        return True

    def stop(self) -> bool:
        """Stop it, and wait until it has. True if it was running. A pid that is another program's by now is left alone.

        Raises StackFailed when it does not end.
        """
        if not self.folder.exists():
            return False
        with self._alone():
            pid = _number_in(self._pid_file)
            running = pid is not None and self._is_ours(pid)
            if pid is not None and running:
                self._end(pid)
            self._pid_file.unlink(missing_ok=True)
        return running

    def is_running(self) -> bool:
        """Whether *this* folder's daemon runs: a pid file may be stale, its pid may be another's by now."""
        pid = _number_in(self._pid_file)
        return pid is not None and self._is_ours(pid)

    def last_log_lines(self) -> str:
        """The end of its log, on one line, for an error message."""
        try:
            lines = self.log_file.read_text(errors="replace").splitlines()
        except OSError:
            lines = []
        return "; ".join(line.strip() for line in lines[-3:]) or "it left no log"

    def _mark(self) -> str:
        return f"partwarden={self.folder}/{self.name}"

    def _is_ours(self, pid: int) -> bool:
        if pid == self._child:
            return self._child_lives(pid)
        command_line = _command_line(pid)
        return f" {self._mark()} " in command_line and f"-m {self._module}" in command_line

    def _child_lives(self, pid: int) -> bool:
        """Whether the process that we have started ourselves has not ended; one that has is let go.

        Its command line would not do: right after the start it can still be empty.
        """
        try:
            ended, _ = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            ended = pid
        if ended:
            self._child = None
        return not ended

    def _refuse_other_port(self) -> None:
        if self._wanted_port not in (None, self.port):
            raise StackFailed(
                f"the {self.name} in {self.folder} runs already, on port {self.port}, not on {self._wanted_port}",
                remedy="stop it first, or leave the port out",
            )

    def _settle_port(self) -> int:
        if self._wanted_port is not None:
            if not port_is_free(self._wanted_port):
                raise StackFailed(
                    f"port {self._wanted_port} on 127.0.0.1 is taken by another program",
                    remedy="choose another, or leave it out and let partwarden find a free one",
                )
            return self._wanted_port
        last = _number_in(self._port_file)
        return last if last is not None and port_is_free(last) else free_port()

    def _spawn(self, port: int) -> int:
        shutil.rmtree(self.room, ignore_errors=True)
        self.room.mkdir(mode=0o700)
        inherited = {name: value for name, value in os.environ.items() if name in _INHERITED}
        # -P: what lies about in the current folder is not imported. -X takes any word: ours marks the process.
        self._child = os.posix_spawn(
            sys.executable,
            [sys.executable, "-P", "-X", self._mark(), "-m", self._module, *self._arguments(port)],
            {**inherited, "TMPDIR": str(self.room), "NO_PROXY": "*", **self._environment(port)},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(self.log_file), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
        )
        return self._child

    def _wait_until_ready(self, pid: int, port: int) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not self._is_ready(port):
            if not self._is_ours(pid):
                raise StackFailed(
                    f"the {self.name} died at its start: {self.last_log_lines()}", remedy=f"read {self.log_file}"
                )
            if time.monotonic() > deadline:
                raise StackFailed(
                    f"the {self.name} did not answer within {_START_SECONDS} s", remedy=f"read {self.log_file}"
                )
            time.sleep(_POLL_SECONDS)

    def _end(self, pid: int) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                if self._is_ours(pid):
                    os.kill(pid, number)
            deadline = time.monotonic() + _STOP_SECONDS
            while self._is_ours(pid) and time.monotonic() < deadline:
                time.sleep(_POLL_SECONDS)
            if not self._is_ours(pid):
                return
        raise StackFailed(f"the {self.name} in {self.folder} (pid {pid}) did not end", remedy=f"kill -9 {pid}")

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes from starting or stopping the same one meanwhile."""
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _number_in(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (FileNotFoundError, ValueError):
        return None


def _command_line(pid: int) -> str:
    """The words of a process, with a blank around each; empty when there is no such process."""
    file = Path(f"/proc/{pid}/cmdline")
    if Path("/proc/self").exists():
        try:
            words = file.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            return ""
        return f" {' '.join(words)} "
    answer = subprocess.run(
        ["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return f" {answer.stdout.strip()} "
