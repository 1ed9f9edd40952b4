"""Threads that send: each channel has its own, so that a slow one holds nobody back but those who wait for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from partwarden.channels.channel import Channel
from partwarden.channels.message import Message

_AT_ONCE = 4


class Senders:
    """Sends for all databases of one agent."""

    def __init__(self, channels: Sequence[Channel]) -> None:
        self.channels: Mapping[str, Channel] = {channel.name: channel for channel in channels}
        self._pools = {
            channel.name: ThreadPoolExecutor(_AT_ONCE, thread_name_prefix=f"channel {channel.name}")
            for channel in channels
        }

    def send(self, channel: str, message: Message, *, timeout: float) -> Future[None]:
        """Send it as soon as the channel has a thread for it; ``timeout`` is in seconds."""
        return self._pools[channel].submit(self.channels[channel].send, message, timeout=timeout)

    def stop(self) -> None:
        """Begin nothing more; what is being sent goes on."""
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)
