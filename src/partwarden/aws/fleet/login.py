"""How a worker gets into a database: as one user everywhere, by a token of IAM's, and the server's certificate verified."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

from partwarden.aws.fleet.member import Member

CA_BUNDLE = Path(__file__).parents[3] / "rds-ca-bundle.pem"
"""The certificates of RDS, beside the code in the functions' package."""

_CONNECT_SECONDS = 5


@dataclass(frozen=True)
class Login:
    """As whom; who may, IAM decides by the function's role."""

    user: str
    ca_bundle: Path = CA_BUNDLE

    def to(self, member: Member, database: str) -> str:
        """What ``partwarden.database.connect`` takes. A cluster that does not answer is soon left alone."""
        options = urlencode({"sslrootcert": str(self.ca_bundle), "connect_timeout": _CONNECT_SECONDS})
        return f"{self.shown(member, database)}?{options}"

    def shown(self, member: Member, database: str) -> str:
        """The same as a person may type it."""
        return f"iam:{quote(self.user, safe='')}@{member.host}:{member.port}/{quote(database, safe='')}"
