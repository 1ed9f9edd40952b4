"""How often somebody may try a token: a few times a minute, and then not at all until the minute is over."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

from starlette.types import Scope

_MOST = 10
_SECONDS = 60.0
_MOST_PEERS = 10_000


class Attempts:
    """Counts attempts that failed, by the address that they came from; of IPv6, a network of /64 is one."""

    def __init__(self, now: Callable[[], float], *, most: int = _MOST) -> None:
        self._now = now
        self._most = most
        self._failed: OrderedDict[str, deque[float]] = OrderedDict()

    def seconds_to_wait(self, scope: Scope) -> int:
        """For how long nothing more is tried from there; 0 where it may be now."""
        failed = self._failed.get(_peer(scope))
        if failed is None:
            return 0
        now = self._now()
        while failed and failed[0] <= now - _SECONDS:
            failed.popleft()
        return 0 if len(failed) < self._most else max(int(failed[0] + _SECONDS - now), 0) + 1

    def failed(self, scope: Scope) -> None:
        """One more has failed."""
        peer = _peer(scope)
        self._failed.setdefault(peer, deque(maxlen=self._most)).append(self._now())
        self._failed.move_to_end(peer)
        while len(self._failed) > _MOST_PEERS:
            self._failed.popitem(last=False)


def peer_of(scope: Scope) -> str:
    """The address that a request came from."""
    client = scope.get("client")
    return str(client[0]) if client else "nowhere"


def _peer(scope: Scope) -> str:
    peer = peer_of(scope)
    try:
        address = ip_address(peer)
    except ValueError:
        return peer
    return str(IPv6Address(int(address) >> 64 << 64)) if isinstance(address, IPv6Address) else peer
