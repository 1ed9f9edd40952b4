"""The front of a PostgreSQL server, as RDS has it for IAM: TLS, then the password as it is; it lets nobody in."""

from __future__ import annotations

import socket
import ssl
import struct
import threading

from tests.aws.authority import Certificate

_SSL_REQUEST = 80877103


class Door:
    """Listens on 127.0.0.1, keeps each password that it is told, and refuses it; or keeps quiet, once it has it."""

    def __init__(self, mine: Certificate, *, quiet: bool = False) -> None:
        self.passwords: list[str] = []
        self.got_one = threading.Event()
        self._quiet = quiet
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(mine.certificate, mine.key)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self) -> Door:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            with plain:
                try:
                    self._talk(plain)
                except OSError:
                    continue  # one who does not trust us, or is gone

    def _talk(self, plain: socket.socket) -> None:
        plain.settimeout(10)
        length, request = struct.unpack("!ii", _exactly(plain, 8))
        assert (length, request) == (8, _SSL_REQUEST)
        plain.sendall(b"S")
        with self._context.wrap_socket(plain, server_side=True) as tls:
            (length,) = struct.unpack("!i", _exactly(tls, 4))
            _exactly(tls, length - 4)  # who wants in, and where
            tls.sendall(b"R" + struct.pack("!ii", 8, 3))  # the password, as it is
            kind, length = struct.unpack("!ci", _exactly(tls, 5))
            assert kind == b"p"
            self.passwords.append(_exactly(tls, length - 4).rstrip(b"\0").decode())
            self.got_one.set()
            if self._quiet:
                tls.recv(1)  # until the other side gives up
                return
            said = b"SFATAL\0VFATAL\0C28000\0MPAM authentication failed for user\0\0"
            tls.sendall(b"E" + struct.pack("!i", len(said) + 4) + said)


def _exactly(stream: socket.socket, length: int) -> bytes:
    found = b""
    while len(found) < length:
        more = stream.recv(length - len(found))
        if not more:
            raise ConnectionError
        found += more
    return found
