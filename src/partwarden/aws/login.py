"""Connection strings to an RDS server that AWS gives the login for: nothing in them is secret, and nothing expires.

``partwarden.database.connect`` takes them; the token is made, or the secret read, anew for each connection.
"""

from __future__ import annotations

from urllib.parse import quote, urlencode

from partwarden.aws.account import Account
from partwarden.aws.cluster import Cluster


def by_secret(account: Account, cluster: Cluster, *, database: str | None = None, tunnel: int | None = None) -> str:
    """As the master user, whose secret RDS keeps. ``tunnel`` is a port of 127.0.0.1 that leads to the server."""
    kind = "cluster" if cluster.is_cluster else "instance"
    return f"aws-secret:{kind}:{cluster.name}?{_options(account, database, tunnel)}"


def by_token(
    account: Account, cluster: Cluster, user: str, *, database: str | None = None, tunnel: int | None = None
) -> str:
    """As this user, with a token of IAM's."""
    return f"iam:{quote(user, safe='')}@{cluster.endpoint}:{cluster.port}?{_options(account, database, tunnel)}"


def _options(account: Account, database: str | None, tunnel: int | None) -> str:
    profile = account.session.profile_name
    options = {
        "dbname": database,
        "region": account.region,
        "profile": profile if profile != "default" else None,
        "tunnel": None if tunnel is None else str(tunnel),
    }
    return urlencode({name: value for name, value in options.items() if value})
