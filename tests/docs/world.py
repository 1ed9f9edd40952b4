"""The world that the documentation speaks of: a server at db.example.com, a database app, and those who work with it.

Any host name leads to the test's server, any role in the pages may log in, and absolute paths lie below the page's own folder.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

from partwarden.database import Connection
from partwarden.install import install
from tests.docs.pages import ROOT
from tests.docs.shell import ELSEWHERE
from tests.docs.statements import statements
from tests.servers import OWNER, Database, Server

TEMPLATE = "docs_template"
READERS = ("reporting", "rds_iamuser")
DSN = f"host=db.example.com dbname=app user={OWNER}"

_CREATE_ROLE = re.compile(r"\bcreate role (\w+)")
_AS_SUPERUSER = re.compile(
    r"(?:grant|insert into cron|create role|create extension|alter (?:system|role|extension|database)|set session|"
    r"select (?:pg_terminate_backend|pg_reload_conf|cron\.alter_job)|delete from cron|update (?:cron|pg_\w+))\b"
)
_COMMENT = re.compile(r"--[^\n]*")
_STAND_IN = """\
#!/bin/sh
echo "{name} $*" >> "$PARTWARDEN_DOCS_ELSEWHERE"
"""


@dataclass
class World:
    """One page's world: the database ``app`` made for it, a folder, and what the shell has to know."""

    server: Server
    folder: Path
    programs: Path
    sessions: list[Connection] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)
    files: set[str] = field(default_factory=set)

    @property
    def database(self) -> Database:
        """The database that the pages call app."""
        return Database(self.server, "app")

    def shell(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run a script as a person would type it: what it writes to either stream, and in ``stderr`` what failed."""
        failures = self.folder / "failures"
        failures.write_text("")
        trap = f"trap 'echo \"$? $BASH_COMMAND\" >> {failures}' ERR\n"
        primary, secondary = os.openpty()
        os.write(primary, b"y\n" * 5)
        try:
            done = subprocess.run(
                ["bash", "-c", trap + self.here(script)],
                cwd=self.folder / "work",
                env=self._environment(),
                stdin=secondary,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=120,
            )
        finally:
            os.close(primary)
            os.close(secondary)
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout, failures.read_text())

    def write(self, name: str, text: str) -> None:
        """Write a file that a page shows into the folder where its commands are typed; it stays for the page."""
        (self.folder / "work" / name).write_text(text)
        self.files.add(name)

    def leave_to_page(self, name: str) -> None:
        """Have a file not be there: a command of the page writes it."""
        (self.folder / "work" / name).unlink(missing_ok=True)
        self.files.add(name)

    def describe(self, *databases: str) -> None:
        """Have a partwarden.yaml that describes these databases, unless the page has its own."""
        entries = "".join(f"  - name: {name}\n    dsn: service={name}\n" for name in databases)
        for place in ("work", "etc"):
            if place == "etc" or "partwarden.yaml" not in self.files:
                (self.folder / place / "partwarden.yaml").write_text(f"databases:\n{entries}")

    @contextmanager
    def psql(self) -> Iterator[Callable[[str], None]]:
        """What runs statements one after the other, each in the database that it is about, as who may do it."""
        opened: dict[tuple[str, str], Connection] = {}

        def execute(statement: str) -> None:
            said = _COMMENT.sub("", statement).strip()
            where = "postgres" if re.search(r"\bcron\.|schema cron\b|purge_job_runs|extension pg_cron", said) else "app"
            who = "postgres" if _AS_SUPERUSER.match(said.lower()) else OWNER
            if (where, who) not in opened:
                opened[where, who] = psycopg.connect(self.server.cluster.dsn(where, who), autocommit=True)
            with self._stepping_aside(said):
                opened[where, who].execute(statement)
            if setting := re.match(r"alter system set ([\w.]+)", said):
                opened[where, who].execute(f"alter system reset {setting[1]}")

        try:
            yield execute
        finally:
            for connection in opened.values():
                connection.close()

    def here(self, text: str) -> str:
        """The same text with what stands for something replaced by what it is here: DSN, paths, jobs, processes."""
        text = re.sub(r"\bDSN\b", f'"{DSN}"', text)
        text = re.sub(r"(?<= )(/etc|/var/lib)/", rf"{self.folder}\1/", text)
        if re.search(r"jobid = \d|cron\.(unschedule|alter_job)\(\d", text):
            job = self._job()
            text = re.sub(r"(jobid = |cron\.(?:unschedule|alter_job)\()\d+", rf"\g<1>{job}", text)
        if re.search(r"\b(12345|4711)\b", text) and "runid" not in text:
            text = re.sub(r"\b(12345|4711)\b", str(self._idle_process()), text)
        return text

    def _job(self) -> int:
        with psycopg.connect(self.server.cluster.dsn("postgres", OWNER), autocommit=True) as connection:
            row = connection.execute(
                "select cron.schedule_in_database('a job of the documentation', '0 0 1 1 *', 'select 1', 'app')"
            ).fetchone()
        assert row is not None
        return int(row[0])

    def _idle_process(self) -> int:
        session = psycopg.connect(self.database.owner_dsn, autocommit=True)
        self.sessions.append(session)
        return session.info.backend_pid

    @contextmanager
    def _stepping_aside(self, statement: str) -> Iterator[None]:
        """A role that a page creates may be there already: it makes room, and comes back."""
        created = _CREATE_ROLE.match(statement)
        if created is None:
            yield
            return
        name = created[1]
        with psycopg.connect(self.server.cluster.dsn(), autocommit=True) as admin:
            if admin.execute("select from pg_roles where rolname = %s", (name,)).fetchone() is None:
                self.roles.append(name)
                yield
                return
            admin.execute(f"alter role {name} rename to was_{name}")
            yield
            admin.execute(f"drop role {name}")
            admin.execute(f"alter role was_{name} rename to {name}")

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": f"{self.programs}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "COLUMNS": "100",
            "PGHOSTADDR": "127.0.0.1",
            "PGPORT": str(self.server.cluster.port),
            "PGPASSFILE": str(self.folder / "pgpass"),
            "PGSERVICEFILE": str(self.folder / "pg_service.conf"),
            "PGDATABASE": "app",
            "PGUSER": OWNER,
            "SHOP_DSN": DSN,
            "PYTHONPATH": str(ROOT / "src"),
            "PARTWARDEN_HOME": str(self.folder / "home"),
            "PARTWARDEN_DOCS_ELSEWHERE": str(self.folder / "elsewhere"),
        }


@contextmanager
def prepared(server: Server, programs: Path) -> Iterator[None]:
    """The template of the pages' databases, roles, and programs that stand in for those that are not run."""
    for name in ELSEWHERE:
        program = programs / Path(name).name
        if "/" not in name:
            program.write_text(_STAND_IN.format(name=name))
            program.chmod(0o755)
    for role in READERS:
        server.cluster.add_role(role)
    with psycopg.connect(server.cluster.dsn(), autocommit=True) as admin:
        admin.execute("create role rds_iam")
        admin.execute(f"grant pg_monitor to {', '.join(READERS)}, {OWNER}")
        admin.execute("grant pg_read_all_data to reporting")
        admin.execute("alter role reporting bypassrls")
        admin.execute(f"grant create on database postgres to {OWNER}")
    template = server.new_database(TEMPLATE)
    with template.connect() as admin:
        for statement in statements((Path(__file__).parent / "tables.sql").read_text()):
            admin.execute(statement)
    with template.connect_owner() as owner:
        install(owner)
        owner.execute("alter table partwarden.incident alter id restart 7")
        owner.execute("call partwarden.monitor()")
    with psycopg.connect(server.cluster.dsn("postgres", OWNER), autocommit=True) as owner:
        install(owner)
    try:
        yield
    finally:
        server.drop_database(template)
        with psycopg.connect(server.cluster.dsn(), autocommit=True) as admin:
            admin.execute("drop schema partwarden cascade")
            admin.execute("delete from cron.job where command ~ 'purge|job_run_details'")
            for role in (*READERS, "rds_iam"):
                admin.execute(sql.SQL("drop owned by {0} cascade").format(sql.Identifier(role)))
                admin.execute(sql.SQL("drop role {0}").format(sql.Identifier(role)))
            admin.execute(f"revoke pg_monitor from {OWNER}")


@contextmanager
def world(server: Server, programs: Path, folder: Path) -> Iterator[World]:
    """A world as it is at the top of a page."""
    for below in ("work", "etc", "var/lib/node_exporter/textfile"):
        (folder / below).mkdir(parents=True)
    (folder / "work" / ".venv" / "bin").mkdir(parents=True)
    for name in ELSEWHERE:
        if "/" in name:
            program = folder / "work" / name
            program.write_text(_STAND_IN.format(name=name))
            program.chmod(0o755)
    known = server.cluster.password_file.read_text().splitlines()
    (folder / "pgpass").write_text("".join("*" + line[line.index(":") :] + "\n" for line in known))
    (folder / "pgpass").chmod(0o600)
    services = ("app", "shop", "demopg")
    (folder / "pg_service.conf").write_text("".join(f"[{name}]\ndbname=app\nuser={OWNER}\n" for name in services))
    made = World(server, folder, programs)
    with psycopg.connect(server.cluster.dsn(), autocommit=True) as admin:
        admin.execute(f"create database app template {TEMPLATE} owner {OWNER} strategy file_copy")
    try:
        yield made
    finally:
        for session in made.sessions:
            session.close()
        server.drop_database(made.database)
        with psycopg.connect(server.cluster.dsn(), autocommit=True) as admin:
            for role in made.roles:
                admin.execute(f"drop role {role}")
