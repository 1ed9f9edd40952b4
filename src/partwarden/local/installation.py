"""Finding a PostgreSQL on this machine that has the extensions partwarden works with."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from partwarden.errors import NotInstalled

REQUIRED_EXTENSIONS = ("pg_cron", "pg_partman", "plpython3u")

_PLACES = (
    "/usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "/usr/pgsql-*/bin",  # PGDG packages on Red Hat and its kin
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/usr/local/pgsql/bin",
)


@dataclass(frozen=True)
class Installation:
    """The programs of one PostgreSQL version, and how to run them.

    ``root`` is a folder that holds an operating system of its own, which the programs run in by chroot; None
    for this machine itself. ``bindir`` is a path as seen from inside ``root``. ``user`` is the account that
    the server runs as, None for the one that we are.
    """

    major: int
    bindir: Path
    missing_extensions: tuple[str, ...]
    root: Path | None = None
    user: str | None = None

    def inside(self, path: Path) -> Path:
        """What the server calls a path of this machine; /dev is mounted through, and so is the same on both sides."""
        if self.root is None or path.is_relative_to("/dev"):
            return path
        return Path("/") / path.relative_to(self.root)

    def owner(self) -> tuple[int, int] | None:
        """User and group id that the server's files must belong to; None when they are ours."""
        if self.user is None:
            return None
        account = _account_in(self.root, self.user)
        if account is None:
            raise NotInstalled(
                f"there is no account {self.user!r} for the server to run as; a PostgreSQL server refuses to run as root",
                remedy="name one with --server-user, or run as an ordinary user",
            )
        return account

    def run(
        self, program: str, *arguments: str, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run one of the server's programs to its end as the server's user; its output as text, unchecked."""
        command: Sequence[str] = (str(self.bindir / program), *arguments)
        owner = self.owner()
        as_user = {} if owner is None else {"user": owner[0], "group": owner[1], "extra_groups": ()}
        if self.root is not None:
            command, as_user = self._in_root(command), {}
        # "C" so that messages are English and parse; no PG* variable of the caller may reach the server.
        environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", **(env or {})}
        return subprocess.run(  # type: ignore[call-overload,no-any-return]
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd="/",
            check=False,
            **as_user,
        )

    def _in_root(self, command: Sequence[str]) -> Sequence[str]:
        """The same command inside ``root``, in a mount namespace that goes when the last process in it ends."""
        owner = self.owner()
        userspec = "0:0" if owner is None else f"{owner[0]}:{owner[1]}"
        enter = (
            'mount --rbind /dev "$0/dev" && mount -t proc proc "$0/proc" && exec chroot --userspec="$1" "$0" "${@:2}"'
        )
        return (
            "unshare",
            "--mount",
            "--propagation=private",
            "bash",
            "-c",
            enter,
            str(self.root),
            userspec,
            *command,
        )


def find_installations(
    *, root: Path | None = None, bindir: Path | None = None, user: str | None = None
) -> list[Installation]:
    """Every PostgreSQL server on this machine (or in ``root``), newest first, whether complete or not.

    ``bindir``, or ``PARTWARDEN_PG_BINDIR``, names a folder to look at first. Running as root, ``user`` defaults to the
    account that the server packages make, ``postgres``.
    """
    if user is None and os.geteuid() == 0:
        user = "postgres"
    found: dict[Path, Installation] = {}
    for place in (*([bindir] if bindir else ()), *_bindirs(root)):
        outside = place if root is None else root / place.relative_to("/")
        major = _major(place, outside, root)
        if major is not None and place not in found:
            missing = tuple(
                name
                for name in REQUIRED_EXTENSIONS
                if not any((d / f"{name}.control").exists() for d in _extension_folders(outside, root, major))
            )
            found[place] = Installation(major, place, missing, root, user)
    return sorted(found.values(), key=lambda each: each.major, reverse=True)


def choose_installation(
    *, major: int | None = None, bindir: Path | None = None, user: str | None = None
) -> Installation:
    """The newest complete PostgreSQL of this machine, or of version ``major``, or the one in ``bindir``.

    Raises NotInstalled with what is missing where, and the command that installs it.
    """
    found = [
        each
        for each in find_installations(bindir=bindir, user=user)
        if major in (None, each.major) and bindir in (None, each.bindir)
    ]
    for each in found:
        if not each.missing_extensions:
            return each
    wanted = "PostgreSQL" if major is None else f"PostgreSQL {major}"
    if not found:
        raise NotInstalled(f"no {wanted} server was found on this machine", remedy=_how_to_install(major))
    lines = [f"{each.bindir}: lacks {', '.join(each.missing_extensions)}" for each in found]
    raise NotInstalled(
        f"no {wanted} server here has all the extensions that the embedded stack needs\n  " + "\n  ".join(lines),
        remedy=_how_to_install(major or found[0].major),
    )


def _how_to_install(major: int | None) -> str:
    version = str(major) if major is not None else "VERSION"
    if shutil.which("apt-get"):
        packages = " ".join(f"postgresql-{version}{suffix}" for suffix in ("", "-cron", "-partman"))
        return f"sudo apt-get install {packages} postgresql-plpython3-{version} python3-boto3"
    return (
        "install PostgreSQL with pg_cron, pg_partman and PL/Python from your system's packages "
        "(https://www.postgresql.org/download/), or point PARTWARDEN_PG_BINDIR at a server's bin folder"
    )


def _bindirs(root: Path | None) -> Iterator[Path]:
    if root is None:
        if named := os.environ.get("PARTWARDEN_PG_BINDIR"):
            yield Path(named)
        if on_path := shutil.which("postgres"):
            yield Path(on_path).resolve().parent
    base = root or Path("/")
    for pattern in _PLACES:
        for outside in sorted(base.glob(pattern.lstrip("/"))):
            yield Path("/") / outside.relative_to(base)


def _major(bindir: Path, outside: Path, root: Path | None) -> int | None:
    if not (outside / "postgres").exists() or not (outside / "initdb").exists():
        return None
    if root is not None:
        match = re.search(r"/(\d+)/bin$", str(bindir))
        return int(match[1]) if match else None
    answer = subprocess.run([outside / "postgres", "--version"], capture_output=True, text=True, check=False)
    match = re.search(r"PostgreSQL\) (\d+)", answer.stdout)
    return int(match[1]) if match else None


def _extension_folders(outside: Path, root: Path | None, major: int) -> list[Path]:
    base = root or Path("/")
    folders = [
        base / f"usr/share/postgresql/{major}/extension",  # Debian keeps share apart from lib
        outside.parent / "share/extension",
        outside.parent / "share/postgresql/extension",
    ]
    pg_config = outside / "pg_config"
    if root is None and pg_config.exists():
        answer = subprocess.run([pg_config, "--sharedir"], capture_output=True, text=True, check=False)
        folders.insert(0, Path(answer.stdout.strip()) / "extension")
    return folders


def _account_in(root: Path | None, name: str) -> tuple[int, int] | None:
    if root is None:
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            return None
        return account.pw_uid, account.pw_gid
    for line in (root / "etc/passwd").read_text().splitlines():
        fields = line.split(":")
        if fields[0] == name:
            return int(fields[2]), int(fields[3])
    return None
