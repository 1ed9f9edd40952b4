"""The last two steps of a deploy: those who are to be told have confirmed, and a test alert has gone all the way."""

from __future__ import annotations

from collections.abc import Callable

from partwarden.aws.hops import Hop
from partwarden.aws.site import Site
from partwarden.aws.stacks import Stack
from partwarden.aws.steps import Tell
from partwarden.aws.subscriptions import invite, pending, subscriptions, wait_for_all
from partwarden.aws.template import EMAIL_PARAMETERS
from partwarden.aws.test_alert import AlertFailed, try_alert
from partwarden.database import connect


class Confirmed:
    """Everybody on the topic has confirmed. That they have not is no failure: it is told, and ``left`` says who."""

    name = "confirmation"

    def __init__(self, site: Site, tell: Tell, *, seconds: float) -> None:
        self._site = site
        self._tell = tell
        self._seconds = seconds
        self.left: list[str] = []

    def found(self) -> str | None:
        """That it is so."""
        stack = self._site.stack()
        topic = stack.outputs.get("TopicArn") if stack is not None else None
        if stack is None or topic is None:
            return None
        self.left = pending(self._site.account, topic)
        return None if self.left or self._forgotten(stack) else "nobody is waited for"

    def intent(self) -> str:
        """What would be done."""
        return "wait until those who are to be told have confirmed"

    def do(self) -> str:
        """Wait, for as long as was said; ask those anew whom SNS has forgotten, as they did not confirm in two days."""
        stack = self._site.standing_stack()
        topic = stack.output("TopicArn")
        for address in self._forgotten(stack):
            self._tell.waits(f"asking {address} to confirm")
            invite(self._site.account, topic, address)
        self.left = pending(self._site.account, topic)
        if self._seconds > 0:
            self.left = wait_for_all(self._site.account, topic, self._seconds, self._say)
        if not self.left:
            return "all have confirmed"
        return f"{', '.join(self.left)} must confirm, and gets no alerts before; SNS forgets it after 2 days"

    def _forgotten(self, stack: Stack) -> list[str]:
        """Addresses of the stack that the topic does not know."""
        if stack.parameters.get("ExistingTopicArn"):
            return []
        known = {each.endpoint for each in subscriptions(self._site.account, stack.output("TopicArn"))}
        wanted = [stack.parameters.get(name, "") for name in EMAIL_PARAMETERS]
        return [address for address in wanted if address and address not in known]

    def _say(self, left: list[str]) -> None:
        self._tell.waits(
            f"waiting up to {self._seconds / 60:.0f} min for {', '.join(left)} to open the link in the message "
            "'AWS Notification - Subscription Confirmation' (Ctrl-C is harmless)"
        )


class AlertProved:
    """A test alert has been delivered since the way was last changed."""

    name = "test alert"

    def __init__(self, site: Site, tell: Tell, hop: Callable[[Hop], None]) -> None:
        self._site = site
        self._tell = tell
        self._hop = hop

    def found(self) -> str | None:
        """That one has been delivered by the function of this stack: the database remembers its receipt."""
        stack = self._site.stack()
        function = stack.outputs.get("FunctionArn") if stack is not None else None
        if function is None:
            return None
        with connect(self._site.login()) as connection:
            if connection.execute("select to_regclass('partwarden.notification')").fetchone() == (None,):
                return None
            row = connection.execute(
                """
                select max(delivered_at)::timestamptz(0)::text from partwarden.notification
                where payload ->> 'test' = %s
                """,
                (function,),
            ).fetchone()
        return f"one was delivered at {row[0]}; partwarden aws test-alert sends another" if row and row[0] else None

    def intent(self) -> str:
        """What would be done."""
        return "send a test alert, and follow it from the database to the topic"

    def do(self) -> str:
        """Send one."""
        hops = []
        for hop in try_alert(self._site, self._tell.waits):
            self._hop(hop)
            hops.append(hop)
        broken = next((hop for hop in hops if hop.state == "broken"), None)
        if broken is not None:
            raise AlertFailed(
                f"{broken.name}: {broken.what}", remedy=broken.remedy or "partwarden aws status looks at each hop"
            )
        return hops[-1].what
