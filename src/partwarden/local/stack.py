"""The embedded stack as one thing: PostgreSQL with its extensions, aws_lambda, a local AWS, a mailbox."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from partwarden.errors import NotInstalled, StackFailed
from partwarden.local.aws_lambda import install_aws_lambda
from partwarden.local.cluster import Cluster
from partwarden.local.installation import Installation, choose_installation
from partwarden.local.mailbox import mailbox_daemon
from partwarden.local.owner import grant_to_owner

if TYPE_CHECKING:  # it needs the extra "local"
    from partwarden.local.aws import LocalAws

DATABASE = "demopg"
OWNER = "app_owner"

Tell = Callable[[str], None]


@dataclass(frozen=True)
class AlertTarget:
    """Whom the monitor invokes and where the alert goes."""

    lambda_arn: str
    topic_arn: str


@dataclass(frozen=True)
class StackStatus:
    """Which parts run, and where. ``server`` is None where no cluster has been made."""

    home: Path
    server: str | None
    server_runs: bool
    aws_endpoint: str | None
    mailbox_folder: Path
    mailbox_runs: bool


class Stack:
    """Everything below one folder, ``home``; the server's own files are in a part of it that is the server's.

    ``major`` chooses a PostgreSQL version, ``port`` a port; both only matter when the cluster is first made.
    ``installation`` with ``server_folder`` name a server that is not one of this machine's own.
    """

    def __init__(
        self,
        home: Path,
        *,
        major: int | None = None,
        port: int | None = None,
        installation: Installation | None = None,
        server_folder: Path | None = None,
    ) -> None:
        self.home = home
        self._major = major
        self._port = port
        self._named_installation = installation
        self._private = home / "private"
        self._server_folder = server_folder or home / "server"
        self.mail_folder = home / "mail"
        self._aws_folder = home / "aws"
        self.mailbox = mailbox_daemon(home / "mailbox", self.mail_folder)

    @property
    def exists(self) -> bool:
        """Whether a cluster has been made here."""
        return (self._private / "cluster.json").exists()

    @property
    def owner_dsn(self) -> str:
        """A connection string of the ordinary role that owns the database ``demopg``; no password is in it."""
        return self.cluster().dsn(DATABASE, OWNER)

    def cluster(self) -> Cluster:
        """The private cluster, whether it runs or not; of the version that it was made with."""
        installation = self._installation()
        return Cluster(
            installation,
            self._server_folder,
            secrets_folder=self._private,
            cron_database=DATABASE,
            port=self._port,
            settings={"cluster_name": "local"},
            environment={
                "AWS_SHARED_CREDENTIALS_FILE": str(installation.inside(self._credentials_file)),
                "AWS_CONFIG_FILE": os.devnull,
                "AWS_EC2_METADATA_DISABLED": "true",
                "AWS_DEFAULT_REGION": "us-east-1",
            },
        )

    def start(self, tell: Tell) -> AlertTarget:
        """Make what is missing, start what does not run, and connect the parts; again changes nothing.

        ``tell`` gets a line for each part. Returns whom an alert goes through. Raises StackFailed or NotInstalled.
        """
        with self._alone():
            cluster = self.cluster()
            started = cluster.start()
            tell(
                f"PostgreSQL {cluster.installation.major} on 127.0.0.1:{cluster.port}{'' if started else ' (was running)'}"
            )
            self._prepare_database(cluster)
            return self._connect_aws(cluster, tell)

    def stop(self) -> list[str]:
        """Stop what runs; the names of it. Data and mails stay, the local AWS forgets."""
        if not self.home.exists():
            return []
        with self._alone():
            stopped = []
            if self.exists and self.cluster().stop():
                stopped.append("PostgreSQL")
            if self.mailbox.stop():
                stopped.append("mailbox")
            with contextlib.suppress(NotInstalled):
                if self._aws().stop():
                    stopped.append("local AWS")
            return stopped

    def destroy(self) -> bool:
        """Stop everything and remove all that was ever made here, and nothing else. True if there was something."""
        ours = [self._private, self._server_folder, self.mail_folder, self.mailbox.folder, self._aws_folder]
        if not any(folder.exists() for folder in ours):
            return False
        self.stop()
        with self._alone():
            if self.exists or self._server_folder.exists():
                self.cluster().destroy()
            for folder in ours:
                if folder.exists():
                    shutil.rmtree(folder)
            (self.home / "lock").unlink()
        with contextlib.suppress(OSError):  # somebody else's files are in it
            self.home.rmdir()
        return True

    def status(self) -> StackStatus:
        """What runs and where."""
        endpoint = None
        with contextlib.suppress(NotInstalled):
            aws = self._aws()
            endpoint = aws.endpoint if aws.is_running() else None
        cluster = self.cluster() if self.exists else None
        return StackStatus(
            home=self.home,
            server=None if cluster is None else f"PostgreSQL {cluster.installation.major} on 127.0.0.1:{cluster.port}",
            server_runs=cluster is not None and cluster.is_running(),
            aws_endpoint=endpoint,
            mailbox_folder=self.mail_folder,
            mailbox_runs=self.mailbox.is_running(),
        )

    @property
    def _credentials_file(self) -> Path:
        return self._server_folder / "aws-credentials"

    def _installation(self) -> Installation:
        if self._named_installation is not None:
            return self._named_installation
        made_with = Cluster.major_made_with(self._private)
        if made_with is not None and self._major not in (None, made_with):
            raise StackFailed(
                f"the embedded stack in {self.home} is one of PostgreSQL {made_with}",
                remedy="partwarden local destroy, then start with the other version",
            )
        return choose_installation(major=made_with or self._major)

    def _prepare_database(self, cluster: Cluster) -> None:
        with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
            if connection.execute("select to_regrole(%s)", (OWNER,)).fetchone() == (None,):
                cluster.add_role(OWNER)
            connection.execute(f"alter database {DATABASE} owner to {OWNER}")
            connection.execute("create schema if not exists partman")
            connection.execute("create extension if not exists pg_partman schema partman")
            install_aws_lambda(connection)
            grant_to_owner(connection, OWNER)

    def _connect_aws(self, cluster: Cluster, tell: Tell) -> AlertTarget:
        from partwarden.local.aws import provision

        aws = self._aws()
        started = aws.start()
        tell(f"AWS (IAM, Lambda, SNS) on {aws.endpoint}{'' if started else ' (was running)'}")
        started = self.mailbox.start()
        tell(f"mailbox in {self.mail_folder}{'' if started else ' (was running)'}")
        path = provision(aws, mailbox_url=f"http://127.0.0.1:{self.mailbox.port}/")
        self._write_credentials(cluster, path.database_access_key, path.database_secret_key)
        with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
            connection.execute(
                sql.SQL("alter database {} set aws_lambda.endpoint_override = {}").format(
                    sql.Identifier(DATABASE), sql.Literal(aws.endpoint)
                )
            )
        return AlertTarget(path.lambda_arn, path.topic_arn)

    def _aws(self) -> LocalAws:
        from partwarden.local.aws import LocalAws

        return LocalAws(self._aws_folder)

    def _write_credentials(self, cluster: Cluster, access_key: str, secret_key: str) -> None:
        """The database's identity in AWS, as an attached role gives it; only the server's account can read it."""
        cluster.write_file(
            self._credentials_file.name,
            f"[default]\naws_access_key_id = {access_key}\naws_secret_access_key = {secret_key}\n",
        )

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        self.home.mkdir(mode=0o755, parents=True, exist_ok=True)
        with (self.home / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def default_home() -> Path:
    """Where the embedded stack lives: PARTWARDEN_HOME, or a folder that the server's account can reach too."""
    if named := os.environ.get("PARTWARDEN_HOME"):
        return Path(named).absolute()
    if os.geteuid() == 0:
        return Path("/var/lib/partwarden")
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "partwarden"
