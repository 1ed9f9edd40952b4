"""An authority of certificates, made for a test, and what it vouches for."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Certificate:
    """A server's certificate and its key, in files."""

    certificate: Path
    key: Path


class Authority:
    """One that signs with openssl; ``certificate`` is what those who trust it need."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.certificate = folder / "ca.pem"
        self._key = folder / "ca.key"
        self._openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-days", "2",
            "-subj", f"/CN={name}", "-keyout", str(self._key), "-out", str(self.certificate),
            "-addext", "keyUsage=critical,keyCertSign,cRLSign",
        )  # fmt: skip

    def vouch(self, *names: str) -> Certificate:
        """A certificate for a server of these names."""
        made = Certificate(self._folder / f"{names[0]}.pem", self._folder / f"{names[0]}.key")
        request, more = self._folder / f"{names[0]}.csr", self._folder / f"{names[0]}.ext"
        more.write_text(
            "subjectAltName=" + ",".join(_kind(name) + name for name in names) + "\nbasicConstraints=CA:FALSE\n"
        )
        self._openssl(
            "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc",
            "-subj", "/CN=server", "-keyout", str(made.key), "-out", str(request),
        )  # fmt: skip
        self._openssl(
            "x509", "-req", "-in", str(request), "-CA", str(self.certificate), "-CAkey", str(self._key),
            "-CAcreateserial", "-days", "2", "-extfile", str(more), "-out", str(made.certificate),
        )  # fmt: skip
        return made

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def _kind(name: str) -> str:
    return "IP:" if name.replace(".", "").isdigit() else "DNS:"
