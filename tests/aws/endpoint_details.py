"""What ministack leaves out of an interface endpoint: that names lead to it, and which security groups it has."""

from __future__ import annotations

from typing import Any

from partwarden.aws.account import Account

_OURS = ("partwarden - lets", "partwarden - marks")


def tell_of_endpoints(account: Account) -> None:
    """Have DescribeVpcEndpoints say of each endpoint what the alert stack has given to it."""
    events: Any = account.session.events
    events.register("after-call.ec2.DescribeVpcEndpoints", _fill_in)


def _fill_in(parsed: dict[str, Any], **_: Any) -> None:
    endpoints = parsed.get("VpcEndpoints", [])
    groups = Account.of().client("ec2").describe_security_groups()["SecurityGroups"] if endpoints else []
    for endpoint in endpoints:
        endpoint["PrivateDnsEnabled"] = True
        endpoint["Groups"] = [
            {"GroupId": group["GroupId"]}
            for group in groups
            if group["VpcId"] == endpoint["VpcId"] and group["Description"].startswith(_OURS)
        ]
