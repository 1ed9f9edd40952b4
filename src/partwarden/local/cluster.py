"""A private PostgreSQL cluster: own folder, own port on 127.0.0.1, closed to the machine's other users."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from partwarden.errors import StackFailed
from partwarden.local.installation import Installation

SUPERUSER = "postgres"

_FREE_SPACE_NEEDED = 400 * 1024 * 1024  # initdb takes 40 MB, WAL up to 256 MB
_START_SECONDS = 60
_INITDB_PASSWORD = "initdb-password"  # noqa: S105 - a file's name

_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "127.0.0.1",
    # Another user of the machine could reach a socket; a port asks everyone for a password.
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "shared_preload_libraries": "pg_cron",
    # pg_cron's libpq mode would need a password file for the server's account.
    "cron.use_background_workers": "on",
    "max_worker_processes": "32",
    "timezone": "UTC",
    "logging_collector": "off",
    "log_line_prefix": "%m [%p] %d ",
}


@dataclass(frozen=True)
class _Facts:
    """What has to be remembered between two commands; kept in ``cluster.json``."""

    major: int
    port: int
    cron_database: str


class Cluster:
    """One private cluster in ``folder`` (as this machine sees it), made at the first start.

    ``folder`` holds ``data`` and ``server.log``, which belong to the account that the server runs as.
    ``secrets_folder`` belongs to us and holds the superuser's password in a 0600 file in libpq's format.
    """

    def __init__(
        self,
        installation: Installation,
        folder: Path,
        *,
        secrets_folder: Path,
        cron_database: str = "postgres",
        port: int | None = None,
        settings: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.installation = installation
        self.folder = folder
        self.password_file = secrets_folder / "pgpass"
        self.log_file = folder / "server.log"
        self._data = folder / "data"
        self._facts_file = secrets_folder / "cluster.json"
        self._wanted_port = port
        self._cron_database = cron_database
        self._settings = dict(settings or {})
        self._environment = dict(environment or {})

    @property
    def exists(self) -> bool:
        """Whether the cluster has been made, wholly: the last step of making it writes this file."""
        return self._facts_file.exists()

    @property
    def port(self) -> int:
        """The port on 127.0.0.1 that the cluster listens on when it runs."""
        return self._facts().port

    @property
    def cron_database(self) -> str:
        """The one database that pg_cron lives in."""
        return self._facts().cron_database

    @staticmethod
    def major_made_with(secrets_folder: Path) -> int | None:
        """The PostgreSQL version of the cluster whose facts are in ``secrets_folder``; None where there is none."""
        file = secrets_folder / "cluster.json"
        return _Facts(**json.loads(file.read_text())).major if file.exists() else None

    def write_file(self, name: str, text: str) -> None:
        """Put a file that only the server's account can read next to its data."""
        file = self.folder / name
        write_private(file, text)
        if owner := self.installation.owner():
            os.chown(file, *owner)

    def dsn(self, database: str | None = None, user: str = SUPERUSER) -> str:
        """A libpq connection string without a password in it; it names the password file instead."""
        return make_conninfo(
            host="127.0.0.1",
            port=self.port,
            dbname=database or self.cron_database,
            user=user,
            passfile=str(self.password_file),
            connect_timeout=10,
        )

    def start(self) -> bool:
        """Make the cluster where there is none, and start it where it does not run. True if it was started.

        Raises StackFailed and leaves nothing half-made.
        """
        if not self.exists:
            self._make()
        if self.is_running():
            return False
        self._remove_stale_pid_file()
        self._settle_port()
        answer = self.installation.run(
            "pg_ctl", "start", "--silent", "--wait", f"--timeout={_START_SECONDS}",
            f"--pgdata={self.installation.inside(self._data)}", f"--log={self.installation.inside(self.log_file)}",
            env=self._environment,
        )  # fmt: skip
        if answer.returncode != 0:
            raise StackFailed(
                f"PostgreSQL {self.installation.major} did not start: {self._last_log_lines() or answer.stderr.strip()}",
                remedy=f"read {self.log_file}; partwarden local destroy makes room for a new one",
            )
        self._ensure_cron_database()
        return True

    def stop(self, *, mode: str = "fast") -> bool:
        """Stop the server, and wait until it has. True if it was running."""
        if not self.exists or not self.is_running():
            return False
        answer = self.installation.run(
            "pg_ctl", "stop", "--silent", "--wait", f"--mode={mode}", f"--pgdata={self.installation.inside(self._data)}"
        )
        if answer.returncode != 0:
            raise StackFailed(
                f"PostgreSQL in {self.folder} did not stop: {answer.stderr.strip()}",
                remedy="partwarden local stop once more; its log is in that folder",
            )
        return True

    def destroy(self) -> bool:
        """Stop the server and remove its folder, its password and its facts. True if there was something."""
        there = self.exists or self.folder.exists()
        self.stop(mode="immediate")
        self._remove()
        return there

    def is_running(self) -> bool:
        """Whether *this* cluster's server runs: its pid file may be stale, its pid may be another's by now."""
        pid = self._pid()
        return pid is not None and self._is_ours(pid)

    def add_role(self, name: str, *, login: bool = True) -> str:
        """Make an ordinary role with a generated password, kept in the password file; its connection string."""
        password = secrets.token_urlsafe(24)
        self._remember_password(name, password)
        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            role = psycopg.sql.Identifier(name)
            exists = connection.execute("select 1 from pg_roles where rolname = %s", (name,)).fetchone()
            verb = psycopg.sql.SQL("alter" if exists else "create")
            connection.execute(
                psycopg.sql.SQL("{} role {} {} password {}").format(
                    verb, role, psycopg.sql.SQL("login" if login else "nologin"), psycopg.sql.Literal(password)
                )
            )
        return self.dsn(user=name)

    def _make(self) -> None:
        self._remove()  # whatever an interrupted attempt left
        self._check_space()
        try:
            self._initdb()
        except BaseException:
            self._remove()
            raise

    def _initdb(self) -> None:
        self.password_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.mkdir(mode=0o700, parents=True)
        if owner := self.installation.owner():
            os.chown(self.folder, *owner)
        password = secrets.token_urlsafe(24)
        self.write_file(_INITDB_PASSWORD, password + "\n")
        answer = self.installation.run(
            "initdb", f"--pgdata={self.installation.inside(self._data)}", f"--username={SUPERUSER}",
            "--auth=scram-sha-256", f"--pwfile={self.installation.inside(self.folder / _INITDB_PASSWORD)}",
            "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync",
        )  # fmt: skip
        (self.folder / _INITDB_PASSWORD).unlink()
        if answer.returncode != 0:
            raise StackFailed(
                f"initdb could not make a cluster in {self._data}: {answer.stderr.strip()}",
                remedy="mend that, then partwarden local start again; PARTWARDEN_HOME names another folder",
            )
        port = self._wanted_port or free_port()
        settings = {**_SETTINGS, "cron.database_name": self._cron_database, **self._settings}
        lines = [f"{name} = '{value.replace(chr(39), chr(39) * 2)}'\n" for name, value in settings.items()]
        (self._data / "partwarden.conf").write_text("".join(lines))
        with (self._data / "postgresql.conf").open("a") as main:
            main.write("include 'partwarden.conf'\ninclude_if_exists 'partwarden-port.conf'\n")
        self._write_port(port)
        self._remember_password(SUPERUSER, password)
        write_private(self._facts_file, json.dumps(asdict(_Facts(self.installation.major, port, self._cron_database))))

    def _ensure_cron_database(self) -> None:
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            known = connection.execute("select 1 from pg_database where datname = %s", (self.cron_database,)).fetchone()
            if known is None:
                connection.execute(
                    psycopg.sql.SQL("create database {}").format(psycopg.sql.Identifier(self.cron_database))
                )
        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            connection.execute("create extension if not exists pg_cron")

    def _settle_port(self) -> None:
        """Move to another port when somebody took ours while we were down, unless the user chose it."""
        port = self._wanted_port or self.port
        if not port_is_free(port):
            if self._wanted_port is not None:
                raise StackFailed(
                    f"port {port} on 127.0.0.1 is taken by another program",
                    remedy="choose another with --port, or leave it out and let partwarden find a free one",
                )
            port = free_port()
        if port != self.port:
            self._write_port(port)
            write_private(self._facts_file, json.dumps(asdict(replace(self._facts(), port=port))))

    def _write_port(self, port: int) -> None:
        (self._data / "partwarden-port.conf").write_text(f"port = {port}\n")

    def _check_space(self) -> None:
        place = next(parent for parent in self.folder.parents if parent.exists())
        free = shutil.disk_usage(place).free
        if free < _FREE_SPACE_NEEDED:
            raise StackFailed(
                f"{place} has {free // 2**20} MB free; a private PostgreSQL needs {_FREE_SPACE_NEEDED // 2**20} MB",
                remedy="make room, or choose another place with PARTWARDEN_HOME",
            )

    def _facts(self) -> _Facts:
        return _Facts(**json.loads(self._facts_file.read_text()))

    def _pid(self) -> int | None:
        try:
            return int((self._data / "postmaster.pid").read_text().splitlines()[0])
        except (FileNotFoundError, ValueError, IndexError):
            return None

    def _is_ours(self, pid: int) -> bool:
        command_line = Path(f"/proc/{pid}/cmdline")
        if Path("/proc/self").exists():
            try:
                return str(self.installation.inside(self._data)) in command_line.read_bytes().decode(errors="replace")
            except OSError:
                return False
        answer = self.installation.run("pg_ctl", "status", f"--pgdata={self.installation.inside(self._data)}")
        return answer.returncode == 0

    def _remove_stale_pid_file(self) -> None:
        (self._data / "postmaster.pid").unlink(missing_ok=True)

    def _last_log_lines(self) -> str:
        try:
            lines = self.log_file.read_text(errors="replace").splitlines()
        except OSError:
            return ""
        telling = [line for line in lines if "FATAL" in line or "PANIC" in line or "could not" in line]
        return "; ".join((telling or lines)[-3:])

    def _remember_password(self, role: str, password: str) -> None:
        """Add or replace one line of the password file: host:port:database:user:password."""
        escaped = role.replace("\\", "\\\\").replace(":", "\\:")
        start = f"127.0.0.1:*:*:{escaped}:"
        lines = []
        if self.password_file.exists():
            lines = [line for line in self.password_file.read_text().splitlines() if not line.startswith(start)]
        write_private(self.password_file, "\n".join([*lines, start + password]) + "\n")

    def _remove(self) -> None:
        for file in (self._facts_file, self.password_file):
            file.unlink(missing_ok=True)
        if self.folder.exists():
            shutil.rmtree(self.folder)


def free_port() -> int:
    """A port on 127.0.0.1 that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def port_is_free(port: int) -> bool:
    """Whether nobody listens on that port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return True
    return False


def write_private(file: Path, text: str) -> None:
    """Replace a file by one that only its owner can read, at once and whole."""
    aside = file.with_name(file.name + ".new")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)
    aside.rename(file)
