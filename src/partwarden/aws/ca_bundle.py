"""The certificates that servers of RDS are signed by: fetched once from AWS, kept, or taken from a file that is named."""

from __future__ import annotations

import base64
import os
import re
import ssl
import tempfile
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from partwarden import __version__
from partwarden.errors import CaBundleMissing

URL = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"
"""https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html"""

VARIABLE = "PARTWARDEN_CA_BUNDLE"

_LARGEST = 4 * 1024 * 1024  # it has 160 KB
_SECONDS = 20
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\s(.*?)-----END CERTIFICATE-----", re.DOTALL)
_BY_HAND = f"fetch {URL} where it can be had, and name the file: export {VARIABLE}=FILE, or ?sslrootcert=FILE"


@dataclass(frozen=True)
class CaBundle:
    """A file of certificates, and how many are in it."""

    file: Path
    certificates: int


def ca_bundle() -> Path:
    """The file to verify a server of RDS with: the one that PARTWARDEN_CA_BUNDLE or PGSSLROOTCERT names, or our own.

    Our own is fetched the first time, and kept in the user's cache. Raises CaBundleMissing.
    """
    for variable in (VARIABLE, "PGSSLROOTCERT"):
        if named := os.environ.get(variable):
            return look_at(Path(named), f"{variable} names").file
    kept = kept_file()
    return kept if kept.exists() else fetch().file


def kept_file() -> Path:
    """Where the fetched certificates are kept: in ``$XDG_CACHE_HOME/partwarden``, else in ``~/.cache/partwarden``."""
    cache = os.environ.get("XDG_CACHE_HOME")
    try:
        # The specification of XDG_CACHE_HOME has a relative one ignored.
        base = Path(cache) if cache and Path(cache).is_absolute() else Path.home() / ".cache"
    except RuntimeError:
        raise CaBundleMissing(
            "there is no home directory to keep the certificates of RDS in", remedy="set HOME or XDG_CACHE_HOME"
        ) from None
    return base / "partwarden" / "rds-global-bundle.pem"


def look_at(file: Path, who: str) -> CaBundle:
    """The file, if certificates are in it; ``who`` names it, for the error. Raises CaBundleMissing."""
    try:
        text = file.read_text(encoding="ascii")
    except OSError as failure:
        raise CaBundleMissing(f"{who} {file}, which can't be read: {failure.strerror}", remedy=_BY_HAND) from None
    except UnicodeDecodeError:
        raise CaBundleMissing(f"{who} {file}, which is not PEM", remedy=_BY_HAND) from None
    problem, number = _count(text)
    if problem is not None:
        raise CaBundleMissing(f"{who} {file}, but {problem}", remedy=_BY_HAND)
    return CaBundle(file, number)


def fetch(url: str = URL) -> CaBundle:
    """Fetch the certificates, over TLS that this machine's own authorities vouch for, and keep them, whole or not at all.

    Raises CaBundleMissing; what was kept before is still there then.
    """
    attempt = f"could not fetch the certificates of RDS from {url}"
    request = urllib.request.Request(url, headers={"User-Agent": f"partwarden/{__version__}"})  # noqa: S310 - ours
    try:
        with _opener().open(request, timeout=_SECONDS) as answer:
            body = answer.read(_LARGEST + 1)
            is_whole = not answer.length  # what is still to come, where the answer says
    except urllib.error.HTTPError as refused:
        with refused:
            raise CaBundleMissing(f"{attempt}: the answer is {refused.code}", remedy=_BY_HAND) from None
    except (OSError, ValueError) as failure:  # URLError is an OSError; a proxy's bad address is a ValueError
        reason = getattr(failure, "reason", None) or failure
        raise CaBundleMissing(f"{attempt}: {reason}", remedy=_BY_HAND) from None
    if not is_whole and len(body) <= _LARGEST:
        raise CaBundleMissing(f"{attempt}: the answer broke off", remedy=_BY_HAND)
    if len(body) > _LARGEST:
        raise CaBundleMissing(f"{attempt}: what came is larger than {_LARGEST} bytes", remedy=_BY_HAND)
    return _keep(attempt, body)


def keep(file: Path) -> CaBundle:
    """Keep a copy of a file that was fetched elsewhere. Raises CaBundleMissing when it has no certificates."""
    attempt = f"could not take the certificates from {file}"
    look_at(file, "you have named")
    return _keep(attempt, file.read_bytes())


def _opener() -> urllib.request.OpenerDirector:
    """HTTPS, by a proxy where the environment names one; whoever sends us elsewhere is not who should answer."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPSHandler(context=ssl.create_default_context()),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _keep(attempt: str, body: bytes) -> CaBundle:
    problem, number = _count(body.decode("ascii", errors="replace"))
    if problem is not None:
        raise CaBundleMissing(f"{attempt}: {problem}", remedy=_BY_HAND)
    file = kept_file()
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A name of its own: two commands may be at it.
        with tempfile.NamedTemporaryFile(dir=file.parent, prefix=".rds-", delete=False) as aside:
            try:
                aside.write(body)
                aside.flush()
                os.fsync(aside.fileno())
                Path(aside.name).replace(file)
            except BaseException:
                Path(aside.name).unlink(missing_ok=True)
                raise
    except OSError as failure:
        raise CaBundleMissing(
            f"could not keep the certificates of RDS in {file}: {failure.strerror}", remedy=_BY_HAND
        ) from None
    return CaBundle(file, number)


def _count(text: str) -> tuple[str | None, int]:
    """What is wrong with a bundle, if anything is, and how many certificates it has."""
    found = _CERTIFICATE.findall(text)
    if not found:
        return "it is not a list of certificates", 0
    if len(found) != text.count("-----BEGIN CERTIFICATE-----"):
        return "one of its certificates is not whole", 0
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        for each in found:
            context.load_verify_locations(cadata=base64.b64decode("".join(each.split()), validate=True))
    except (ValueError, ssl.SSLError):
        return "it holds something that is not a certificate", 0
    if context.cert_store_stats()["x509_ca"] == 0:
        return "none of its certificates is an authority's", 0
    return None, len(found)
