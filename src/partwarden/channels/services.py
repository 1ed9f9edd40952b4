"""Mail, chats, and whatever else Apprise knows: one of its plugins, and what its outcome means for the next attempt.

Apprise's log has URLs and keys in it, so nothing of it is passed on but numbers and a few words that are known.
"""

from __future__ import annotations

import logging
import re
import threading
import warnings
from collections.abc import Iterable
from typing import Any

from partwarden.channels.http import LOOPBACK
from partwarden.channels.message import Message, one_line
from partwarden.channels.parts import Taken
from partwarden.errors import ChannelFailed, NotInstalled

_HTTP_STATUS = re.compile(r"\berror=(\d{3})\b")
_SMTP_REPLY = re.compile(r"(?:Socket Exception: \(|was refused: |\()(\d{3}), b['\"]|was refused: (\d{3}) ")
_REASONS = (
    (re.compile(r"certificate verify failed", re.IGNORECASE), "its certificate is not trusted"),
    (re.compile(r"timed out|timeout", re.IGNORECASE), "no answer in time"),
    (re.compile(r"connection refused", re.IGNORECASE), "connection refused"),
    (re.compile(r"name or service not known|name resolution|getaddrinfo", re.IGNORECASE), "its name is not known"),
    (re.compile(r"network is unreachable|no route to host", re.IGNORECASE), "no way leads there"),
    (re.compile(r"unexpectedly closed|connection reset|remote end closed", re.IGNORECASE), "it hung up"),
    (
        re.compile(r"STARTTLS extension not supported", re.IGNORECASE),
        "it does not offer TLS (?mode=insecure goes without)",
    ),
)
_HTTP_PASSES = frozenset({408, 425, 429})
_SUBJECT = 200
_loading = threading.Lock()
_MOST_SECONDS = 20.0


class Service:
    """Sends by one of Apprise's plugins, which is made anew each time: they pause between what one of them sends."""

    def __init__(self, url: str) -> None:
        _quieten()
        self._url = url
        self._taken = Taken()
        plugin = _plugin(url)
        self.name = str(plugin.service_name)

    def send(self, message: Message, *, timeout: float) -> None:
        """Send it, to each addressee of a mail by itself. Raises ChannelFailed.

        A mail's addressees who have it are not sent it again by the same process.
        """
        plugin = _plugin(self._url)
        patience = min(timeout, _MOST_SECONDS)
        plugin.socket_connect_timeout = patience
        plugin.socket_read_timeout = patience
        if not _is_mail(plugin):
            self._send(plugin, message)
            return
        _dress(plugin, message)
        had_it = self._taken.of(message.id)
        failures = []
        targets = list(plugin.targets)
        for target in targets:
            if str(target) in had_it:
                continue
            plugin.targets = [target]
            try:
                self._send(plugin, message)
                had_it.add(str(target))
            except ChannelFailed as failure:
                failures.append(failure)
        if failures:
            # Who is refused for good is asked again as seldom as that deserves, unless somebody else is only late.
            raise next((each for each in failures if not each.lasts), failures[0])
        if not targets:
            raise ChannelFailed("the mail has no addressee", remedy="its URL takes ?to=…", lasts=True)
        self._taken.forget(message.id)

    def _send(self, plugin: Any, message: Message) -> None:
        from apprise import Apprise, NotifyFormat, NotifyType

        kinds = {"critical": NotifyType.FAILURE, "warning": NotifyType.WARNING, "over": NotifyType.SUCCESS}
        sender = Apprise(asset=plugin.asset)
        sender.add(plugin)
        with sender.notify(
            body=_plain(message.body),
            title=one_line(message.subject, _SUBJECT),
            notify_type=kinds[message.severity],
            body_format=NotifyFormat.TEXT,
            log_level=logging.DEBUG,
        ) as result:
            if not result:
                raise _failure(self.name, [entry.message for entry in result.logs()])


def _plugin(url: str) -> Any:
    """The plugin for a URL, which says everything but what is sent. Raises ChannelFailed, which does not repeat the URL."""
    apprise = _apprise()
    asset = apprise.AppriseAsset(
        app_id="partwarden",
        app_desc="partwarden",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        secure_logging=True,
        default_service_retry=0,
        http_redirects=False,
    )
    try:
        plugin: Any = apprise.Apprise.instantiate(url, asset=asset)
    except Exception:  # noqa: BLE001 - plugins raise what they like, and its text has the URL
        plugin = None
    if plugin is None:
        raise ChannelFailed(
            "this is not a URL that Apprise understands",
            remedy="docs/channels.md has the form for each service",
            lasts=True,
        )
    if _is_mail(plugin) and plugin.password and plugin.secure_mode == "insecure" and plugin.smtp_host not in LOOPBACK:
        raise ChannelFailed(
            "this mail server would be told the password where everybody can read it",
            remedy="mailtos:// is with TLS",
            lasts=True,
        )
    if not _is_mail(plugin):
        plugin.overflow_mode = apprise.OverflowMode.TRUNCATE  # what is too long is better cut than refused
    elif "format=" not in url:
        plugin.notify_format = apprise.NotifyFormat.TEXT
    return plugin


def _is_mail(plugin: object) -> bool:
    from apprise.plugins.email import NotifyEmail

    return isinstance(plugin, NotifyEmail)


def understands(url: str) -> bool:
    """Whether Apprise has a plugin for this address by https, such as that of a Slack webhook; not without Apprise."""
    try:
        apprise = _apprise()
    except NotInstalled:
        return False
    _quieten()
    try:
        return apprise.plugins.url_to_dict(url, secure_logging=True) is not None
    except Exception:  # noqa: BLE001 - plugins raise what they like
        return False


def _apprise() -> Any:
    """Apprise with its plugins, which it reads when it is first asked for one, and which may complain of each other."""
    with _loading:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                import apprise

                apprise.plugins.url_to_dict("mailto://localhost")  # type: ignore[no-untyped-call]
        except ImportError:
            raise NotInstalled(
                "mail, Slack, Teams and other services are reached by Apprise, which is not here",
                remedy="pip install 'partwarden[agent]'",
            ) from None
    return apprise


def _quieten() -> None:
    """Let nothing of what Apprise, and what it stands on, notes of URLs reach anybody."""
    for name in ("apprise", "urllib3", "requests"):
        logger = logging.getLogger(name)
        logger.propagate = False
        if not any(isinstance(each, logging.NullHandler) for each in logger.handlers):
            logger.addHandler(logging.NullHandler())
    # Its plugins tell why only there, and to whoever asks for the outcome of one call.
    logging.getLogger("apprise").setLevel(logging.DEBUG)


def _dress(plugin: Any, message: Message) -> None:
    """What a mail has beside its text, for programs that sort it."""
    plugin.headers = {
        **plugin.headers,
        "X-Partwarden-Notification-Id": message.id,
        "X-Partwarden-Attempt": str(message.attempt),
    }


def _plain(text: str) -> str:
    """Text without what a chat would take for a mention: Teams has no way to write it otherwise."""
    return re.sub(r"<(?=/?at>)", "<\u200b", text, flags=re.IGNORECASE)


def _failure(name: str, log: Iterable[str]) -> ChannelFailed:
    lines = list(log)
    for line in lines:
        if found := _HTTP_STATUS.search(line):
            status = int(found[1])
            return _answered(name, status, lasts=300 <= status < 500 and status not in _HTTP_PASSES)
    for line in lines:
        if found := _SMTP_REPLY.search(line):
            reply = int(found[1] or found[2])
            return _answered(name, reply, lasts=500 <= reply < 600)
    for words, reason in _REASONS:
        if any(words.search(line) for line in lines):
            return ChannelFailed(
                f"{name} could not be reached: {reason}", remedy="see that it is up, and that this machine reaches it"
            )
    return ChannelFailed(f"{name} did not take it, and did not say why", remedy="it is tried again")


def _answered(name: str, code: int, *, lasts: bool) -> ChannelFailed:
    remedy = "see that its URL, its key and its addressees are right" if lasts else "it is tried again"
    return ChannelFailed(f"{name} answered {code}", remedy=remedy, lasts=lasts)
