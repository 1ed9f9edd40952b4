"""What has been taken of a message that is sent in parts, so that its next attempt goes on where the last one ended."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from partwarden.channels.message import Message, Told
from partwarden.errors import ChannelFailed

_REMEMBERED = 1000


class Taken:
    """The parts of messages that somebody has, by the messages' ids: as long as the process lives, for the last thousand."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of: OrderedDict[str, set[str]] = OrderedDict()

    def of(self, message: str) -> set[str]:
        """The parts of this message, to be added to."""
        with self._lock:
            taken = self._of.setdefault(message, set())
            while len(self._of) > _REMEMBERED:
                self._of.popitem(last=False)
            return taken

    def forget(self, message: str) -> None:
        """The whole message is taken."""
        with self._lock:
            self._of.pop(message, None)


class Parts:
    """Sends a message an incident at a time."""

    def __init__(self) -> None:
        self._taken = Taken()

    def send(self, message: Message, tell: Callable[[Told], None]) -> None:
        """Tell of each incident that has not been taken yet.

        Raises ChannelFailed: at once where the reason passes, for it holds for the others as well; where it lasts, when the
        others have been told.
        """
        taken = self._taken.of(message.id)
        refused = None
        for incident in message.news:
            if str(incident.id) in taken:
                continue
            try:
                tell(incident)
            except ChannelFailed as failure:
                if not failure.lasts:
                    raise
                refused = failure
            else:
                taken.add(str(incident.id))
        if refused is not None:
            raise refused
        self._taken.forget(message.id)
