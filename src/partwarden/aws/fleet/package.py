"""The package of the fleet's functions: what they import and no more, for the processors that they run on."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import io
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import Literal

from partwarden.errors import NotInstalled, PackageFailed

Architecture = Literal["arm64", "x86_64"]

RUNTIME = "3.12"
HANDLERS = ("partwarden.aws.fleet.dispatcher", "partwarden.aws.fleet.worker")
_IMPORTED_LATER = ("partwarden.aws.credentials",)  # at the first login

_MACHINES: Mapping[Architecture, str] = {"arm64": "aarch64", "x86_64": "x86_64"}
# Lambda's python3.12 runs on Amazon Linux 2023, with glibc 2.34.
_PLATFORMS = ("manylinux2014", "manylinux_2_17", "manylinux_2_28", "manylinux_2_34")
_SQL = ("checks", "relations", "sources")
_NEVER_IMPORTED = re.compile(r"(\.pyi|\.pyx|\.pxd|\.c|/py\.typed)$|(^|/)__pycache__/")
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")
_LARGEST = 250 * 2**20  # unpacked; https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
_DOWNLOAD_SECONDS = 300


@dataclass(frozen=True)
class Package:
    """Files by name; the same for the same release, libraries and certificates, whoever builds it."""

    contents: Mapping[str, bytes]

    @property
    def hash(self) -> str:
        """SHA-256 of names and contents, not of how a zip file packs them."""
        digest = hashlib.sha256()
        for name, content in sorted(self.contents.items()):
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
        return digest.hexdigest()

    @property
    def unpacked_bytes(self) -> int:
        """What the function's folder takes."""
        return sum(map(len, self.contents.values()))

    def to_zip(self) -> bytes:
        """As Lambda takes it."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in sorted(self.contents.items()):
                entry = zipfile.ZipInfo(name)
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
        return packed.getvalue()


def build(libraries: Mapping[str, bytes], ca_bundle: bytes) -> Package:
    """Our own modules that the handlers import, the checks, the libraries and the certificates of RDS."""
    package = Package({**libraries, **_own_files(), "rds-ca-bundle.pem": ca_bundle})
    if package.unpacked_bytes > _LARGEST:
        raise PackageFailed(
            f"the functions' package has {package.unpacked_bytes} bytes unpacked, Lambda takes {_LARGEST}",
            remedy="a --ca-bundle of the clusters' regions only is smaller",
        )
    return package


def fetch_libraries(architecture: Architecture, python: str = RUNTIME) -> dict[str, bytes]:
    """What the functions need of others, from the package index that this machine's pip is set up for.

    The versions are those that are installed here. Raises NotInstalled without pip, PackageFailed when it can't be had.
    """
    if importlib.util.find_spec("pip") is None:
        raise NotInstalled(
            f"packing the functions needs pip for {sys.executable}", remedy=f"{sys.executable} -m ensurepip"
        )
    wanted = [f"{name}=={version}" for name, version in _versions().items()]
    platforms = [f"--platform={each}_{_MACHINES[architecture]}" for each in _PLATFORMS]
    with tempfile.TemporaryDirectory(prefix="partwarden-") as folder:
        try:
            answer = subprocess.run(
                [
                    *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"),
                    *("--no-deps", "--only-binary=:all:", "--implementation=cp", f"--python-version={python}"),
                    *(f"--dest={folder}", *platforms, *wanted),
                ],
                capture_output=True,
                text=True,
                timeout=_DOWNLOAD_SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise PackageFailed(
                f"pip did not fetch {', '.join(wanted)} within {_DOWNLOAD_SECONDS} s", remedy="try again"
            ) from None
        if answer.returncode != 0:
            said = " ".join(line.strip() for line in answer.stderr.splitlines() if line.startswith("ERROR"))
            raise PackageFailed(
                f"pip could not fetch {', '.join(wanted)} for Python {python} on Linux, {architecture}: "
                f"{_CREDENTIALS.sub('', said or answer.stderr.strip())}",
                remedy="see that pip download works on this machine; PIP_INDEX_URL, or PIP_NO_INDEX=1 with "
                "PIP_FIND_LINKS=FOLDER, say where packages come from",
            )
        contents: dict[str, bytes] = {}
        for wheel in sorted(Path(folder).glob("*.whl")):
            contents |= _unpacked(wheel)
    return contents


def is_needed(name: str) -> bool:
    """Whether a file of an installed library is needed when it runs: its code, its version and its licence."""
    if _NEVER_IMPORTED.search(name) or name.startswith((".", "/")):
        return False
    folder = PurePosixPath(name).parts[0]
    if folder.endswith(".dist-info"):
        return name == f"{folder}/METADATA" or "licen" in name.lower()
    return not folder.endswith(".data")


def _versions() -> dict[str, str]:
    try:
        psycopg = metadata.version("psycopg")
        return {
            "psycopg": psycopg,
            "psycopg-binary": psycopg,
            "typing-extensions": metadata.version("typing-extensions"),
        }
    except metadata.PackageNotFoundError as missing:
        raise NotInstalled(
            f"packing the functions needs {missing.name}, which is not installed",
            remedy="pip install 'partwarden[aws]'",
        ) from None


def _unpacked(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist() if is_needed(name) and not name.endswith("/")}


@functools.cache
def _own_files() -> Mapping[str, bytes]:
    root = files("partwarden")
    found: dict[str, bytes] = {}
    for module in _imported_modules():
        path = module.removeprefix("partwarden").strip(".").replace(".", "/")
        for name in (f"{path}/__init__.py".lstrip("/"), f"{path}.py"):
            if (file := root.joinpath(name)).is_file():
                found[f"partwarden/{name}"] = file.read_bytes()
                break
    for folder in _SQL:
        for file in root.joinpath("sql", folder).iterdir():
            if file.name.endswith(".sql"):
                found[f"partwarden/sql/{folder}/{file.name}"] = file.read_bytes()
    return found


def _imported_modules() -> list[str]:
    """The modules of ours that are there when the handlers have been imported, seen in a process of its own."""
    program = (
        f"import json, sys\nimport {', '.join((*HANDLERS, *_IMPORTED_LATER))}\n"
        "print(json.dumps(sorted(name for name in sys.modules if name.partition('.')[0] == 'partwarden')))"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    if answer.returncode != 0:
        last = answer.stderr.strip().splitlines()[-1:]
        raise PackageFailed(
            f"the functions' code can't be imported here: {''.join(last)}", remedy="pip install 'partwarden[aws]'"
        )
    modules: list[str] = json.loads(answer.stdout)
    return modules
