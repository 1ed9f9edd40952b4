"""The CloudFormation template of the alert stack: its text, and which e-mail address goes into which field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import resources

from partwarden.errors import PartwardenError

EMAIL_PARAMETERS = (
    "NotificationEmail",
    "NotificationEmail2",
    "NotificationEmail3",
    "NotificationEmail4",
    "NotificationEmail5",
)


class TooManyAddresses(PartwardenError):
    """There are more e-mail addresses than the template has fields."""


def body() -> str:
    """The template as it is sent to CloudFormation, with the function inline."""
    return resources.files(__package__).joinpath("template.yaml").read_text(encoding="utf-8")


def email_parameters(wanted: Sequence[str], before: Mapping[str, str]) -> dict[str, str]:
    """A value for each e-mail field; ``before`` are the stack's parameters, empty for a new one.

    An address that the stack has stays in its field: one that moved would be subscribed anew, which changes nothing since
    it is subscribed already, and then unsubscribed with the field that it left.

    Raises TooManyAddresses.
    """
    distinct = list(dict.fromkeys(wanted))
    if len(distinct) > len(EMAIL_PARAMETERS):
        raise TooManyAddresses(
            f"the alert stack can tell {len(EMAIL_PARAMETERS)} e-mail addresses, and {len(distinct)} were given",
            remedy="give the address of a mailing list, or subscribe the others to the topic yourself",
        )
    fields = {name: before.get(name, "") for name in EMAIL_PARAMETERS}
    kept = {name: address if address in distinct else "" for name, address in fields.items()}
    new = [address for address in distinct if address not in kept.values()]
    for name in EMAIL_PARAMETERS:
        if not kept[name] and new:
            kept[name] = new.pop(0)
    return kept
