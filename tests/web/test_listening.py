"""The socket that the page listens on."""

from __future__ import annotations

import socket

from partwarden.web.listening import bound


def test_no_half_of_an_answer_waits_for_the_other_to_be_acknowledged() -> None:
    with bound("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
