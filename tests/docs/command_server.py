"""The program partwarden as a process that a shell starts, without half a second of imports each time.

A server has everything imported, and forks for each call; the client, which the shell finds under the name ``partwarden``,
hands over its arguments, its folder, its environment and its three streams, and leaves with the exit code that it is told.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.docs.shell import Typed, understand, why_not_run

CRASHED = 70

CLIENT = """\
#!{python} -ISE
import array, json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({socket!r})
    call = json.dumps({{"arguments": sys.argv[1:], "folder": os.getcwd(), "environment": dict(os.environ)}}).encode()
    streams = array.array("i", [0, 1, 2]).tobytes()
    server.sendmsg([len(call).to_bytes(4, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, streams)])
    server.sendall(call)
    code = server.recv(1)
sys.exit(code[0] if code else 70)
"""


@contextmanager
def serving(folder: Path) -> Iterator[Path]:
    """A folder with the client in it, for PATH, as long as the block lasts."""
    address = folder / "partwarden.socket"
    programs = folder / "bin"
    programs.mkdir()
    client = programs / "partwarden"
    client.write_text(CLIENT.format(python=sys.executable, socket=str(address)))
    client.chmod(0o755)
    python = programs / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    server = subprocess.Popen([sys.executable, "-m", __name__, str(address)], stdout=subprocess.PIPE)
    try:
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        yield programs
    finally:
        server.terminate()
        server.wait()
        if server.stdout is not None:
            server.stdout.close()


def _serve(address: str) -> None:
    import partwarden.cli
    import partwarden.config  # imported late by the commands, for their speed
    import partwarden.report.drain  # noqa: F401

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen()
        print("ready", flush=True)  # noqa: T201 - to the one who started us
        while True:
            call, _ = listening.accept()
            with call:
                if os.fork() == 0:
                    listening.close()
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    _answer(call)


def _answer(call: socket.socket) -> None:
    """Be the program: with the caller's streams, folder, environment and arguments."""
    from partwarden.cli import main

    size, streams, _, _ = socket.recv_fds(call, 4, 3)
    asked = json.loads(call.recv(int.from_bytes(size, "big"), socket.MSG_WAITALL))
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
    code = CRASHED
    try:
        if why_not_run(Typed(("partwarden", *asked["arguments"]))) is None:
            main(asked["arguments"])
        else:
            understand(asked["arguments"])
            code = 0
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else CRASHED
    except Exception:  # noqa: BLE001 - the page's test sees the traceback
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    call.sendall(bytes([code]))
    os._exit(0)


if __name__ == "__main__":
    _serve(sys.argv[1])
