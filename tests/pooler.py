"""Something between us and a database that passes on what is said, and falls silent in the middle of it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

from psycopg.conninfo import conninfo_to_dict, make_conninfo


@dataclass
class Pooler:
    """Lets everybody in; while ``frozen`` is set nothing comes back any more to who has said ``last_words``.

    ``sessions`` is how many hold a connection through it now.
    """

    dsn: str
    last_words: bytes
    frozen: threading.Event = field(default_factory=threading.Event)
    sessions: int = 0

    def serve(self, client: socket.socket, server: socket.socket) -> None:
        """Pass on what a client says, and what it is answered, until it hangs up."""
        is_silent = threading.Event()
        answers = threading.Thread(target=_pass_on, args=(server, client, is_silent), daemon=True)
        answers.start()
        self.sessions += 1
        with client, server, suppress(OSError):
            while said := client.recv(65536):
                if self.frozen.is_set() and self.last_words in said:
                    is_silent.set()
                if not is_silent.is_set():
                    server.sendall(said)
        self.sessions -= 1


@contextmanager
def pooler(dsn: str, last_words: str) -> Iterator[Pooler]:
    """Such a thing before the database of ``dsn``, as long as the block lasts."""
    parts = conninfo_to_dict(dsn)
    address = str(parts["host"]), int(str(parts["port"]))
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=100))
        before = Pooler(
            make_conninfo(dsn, port=listener.getsockname()[1], sslmode="disable", gssencmode="disable"),
            last_words.encode(),
        )
        stack.callback(listener.shutdown, socket.SHUT_RDWR)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    server = socket.create_connection(address)
                    threading.Thread(target=before.serve, args=(client, server), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield before


def _pass_on(server: socket.socket, client: socket.socket, is_silent: threading.Event) -> None:
    with suppress(OSError):
        while said := server.recv(65536):
            if not is_silent.is_set():
                client.sendall(said)
        client.shutdown(socket.SHUT_RDWR)
