"""The agent: one process that carries the notifications of many databases, and keeps their schedule where pg_cron does not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from partwarden.channels.channel import Channel
from partwarden.channels.postman import Postman
from partwarden.channels.senders import Senders
from partwarden.channels.session import STATEMENT_SECONDS
from partwarden.channels.tally import Tally, in_words
from partwarden.config import Channel as DescribedChannel
from partwarden.config import Database
from partwarden.errors import AgentFailed, PartwardenError

Tell = Callable[[str, str], None]
"""Is told what happens: where, and what."""

_AT_ONCE = 8
_LONGEST_ROUND = 2 * STATEMENT_SECONDS
_LONGEST_LAST_STATEMENT = 10.0
_LOOKED_AFTER = 1.0
_LONGEST_END = 75.0
"""systemd kills after 90 seconds; sending what is being sent takes up to 60."""


@dataclass(frozen=True)
class Served:
    """A database that the agent works for: what it is called, how to get in, and what the file says of it."""

    name: str
    dsn: str
    described: Database | None = None


class Agent:
    """Works for these databases; ``poll`` is for how many seconds at most one of them is not asked."""

    def __init__(
        self, databases: Sequence[Served], channels: Sequence[DescribedChannel], tell: Tell, *, poll: float = 10.0
    ) -> None:
        if not channels and not any(
            each.described is None or each.described.scheduler == "agent" for each in databases
        ):
            raise AgentFailed(
                "there is nothing to do for an agent: the file has no channels, and no database says scheduler: agent",
                remedy="docs/channels.md has examples",
            )
        self._tell = tell
        opened = [Channel(each) for each in channels]
        self._senders = Senders(opened)
        self._postmen = [
            Postman(
                each.name,
                each.dsn,
                each.described,
                self._senders,
                lambda text, name=each.name: tell(name, text),  # type: ignore[misc]
                poll=poll,
            )
            for each in databases
        ]
        for channel in opened:
            try:
                channel.open()
            except PartwardenError as failure:  # told now, and not only when somebody has to hear something
                tell("agent", in_words(failure))

    def run(self, until: threading.Event) -> None:
        """Work until the event is set; then what is being sent is sent, and nothing more begun."""
        threads = [threading.Thread(target=each.run, name=each.name, daemon=True) for each in self._postmen]
        for thread in threads:
            thread.start()
        names = ", ".join(each.name for each in self._postmen)
        channels = ", ".join(self._senders.channels) or "no channel"
        self._tell("agent", f"works for {names}, and tells {channels}")
        while not until.wait(_LOOKED_AFTER):
            self._cut(_LONGEST_ROUND)
        self._tell("agent", "comes to an end")
        for postman in self._postmen:
            postman.stop()
        deadline = time.monotonic() + _LONGEST_END
        for thread in threads:
            while thread.is_alive() and time.monotonic() < deadline:
                self._cut(_LONGEST_LAST_STATEMENT)
                thread.join(_LOOKED_AFTER)
            if thread.is_alive():
                self._tell(thread.name, "could not be brought to an end, and is left as it is")
        self._senders.stop()

    def _cut(self, seconds: float) -> None:
        """End sessions whose server has not answered for so long: its time-out is kept by the server itself."""
        for postman in self._postmen:
            if postman.cut(seconds):
                self._tell(
                    postman.name, f"the server has not answered for {seconds:.0f} seconds: the connection is ended"
                )

    def once(self) -> list[Tally]:
        """Do what is due now, in each database; how that went."""
        with ThreadPoolExecutor(min(len(self._postmen), _AT_ONCE) or 1) as pool:
            tallies = list(pool.map(lambda postman: postman.run_once(), self._postmen))
        self._senders.stop()
        return tallies
