"""Logging in through AWS: with a token or a secret, to a server whose name and authority are verified; nothing leaks."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import psycopg
import pytest
from psycopg import sql

from partwarden.aws.account import Account
from partwarden.aws.ca_bundle import VARIABLE
from partwarden.cli import main
from partwarden.database import connect
from partwarden.dsn import resolve
from partwarden.errors import AwsFailed, CaBundleMissing, CouldNotConnect
from partwarden.health import check_database
from tests.aws.authority import Authority
from tests.aws.door import Door
from tests.servers import MAJORS, Server, find_server, running_server
from tests.waiting import wait_until

HOST = "app.cluster-c1.us-east-1.rds.amazonaws.com"
USER = "o'dd u@er"
ESCAPED = "o%27dd%20u%40er"
MARK = "hunter2-'\\ @:/%-never-shown"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), "of the test")


@pytest.fixture(scope="module")
def server(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The newest server there is, with a certificate for the name of an Aurora cluster."""
    major = next((each for each in reversed(MAJORS) if find_server(each) is not None), None)
    if major is None:
        pytest.skip("no PostgreSQL server here")
    mine = authority.vouch(HOST)
    with running_server(major, tmp_path_factory.mktemp("secrets")) as running:
        running.cluster.write_file("server.crt", mine.certificate.read_text())
        running.cluster.write_file("server.key", mine.key.read_text())
        with psycopg.connect(running.cluster.dsn(), autocommit=True) as connection:
            connection.execute("alter system set ssl_cert_file = '../server.crt'")
            connection.execute("alter system set ssl_key_file = '../server.key'")
            connection.execute("alter system set ssl = on")
            connection.execute("select pg_reload_conf()")
            connection.execute(sql.SQL("create role {} login superuser").format(sql.Identifier(USER)))
            connection.execute("create database shop")
        yield running


@pytest.fixture(autouse=True)
def trusting(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the certificates of RDS are to the real thing."""
    monkeypatch.setenv(VARIABLE, str(authority.certificate))


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that stands, so that a token is the same each time it is made."""
    now = datetime.now(UTC)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *_, **__: now)


def tunnel(server: Server) -> str:
    return f"tunnel={server.cluster.port}"


def let_in(server: Server, password: str) -> None:
    """Make it the password of the user."""
    with psycopg.connect(server.cluster.dsn(), autocommit=True) as connection:
        connection.execute(sql.SQL("alter role {} password {}").format(sql.Identifier(USER), sql.Literal(password)))


def token_for(dsn: str) -> str:
    return str(psycopg.conninfo.conninfo_to_dict(resolve(dsn).conninfo)["password"])


def secret(account: Account, what: object, name: str = "prod/app") -> str:
    """A secret, its ARN; text as it is, anything else as JSON."""
    text = what if isinstance(what, str) else json.dumps(what)
    return account.client("secretsmanager").create_secret(Name=name, SecretString=text)["ARN"]


def who(dsn: str) -> tuple[Any, ...]:
    """Whom and where the connection string leads to, and by which TLS."""
    with connect(dsn) as connection:
        row = connection.execute(
            "select current_user, current_database(), ssl from pg_stat_ssl where pid = pg_backend_pid()"
        ).fetchone()
        assert row is not None
        return row


# By a token of IAM's


def test_a_token_for_the_servers_own_name_gets_in_through_a_tunnel(server: Server, still: None) -> None:
    dsn = f"iam:{ESCAPED}@{HOST}/shop?{tunnel(server)}"
    let_in(server, token_for(dsn))
    assert who(dsn) == (USER, "shop", True)


def test_a_token_is_made_for_name_port_user_and_region_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "ap-south-1")  # not where the server is
    token = token_for(f"iam:{ESCAPED}@{HOST}:6432/shop?tunnel=15432")
    server, _, query = token.partition("/?")
    said = parse_qs(query)
    assert server == f"{HOST}:6432"
    assert (said["Action"], said["DBUser"], said["X-Amz-Expires"]) == (["connect"], [USER], ["900"])
    assert "/us-east-1/rds-db/" in said["X-Amz-Credential"][0]
    assert "%2Feu-west-1%2F" in token_for("iam:app@db.example.com?region=eu-west-1")
    assert "%2Fap-south-1%2F" in token_for("iam:app@db.example.com")


def test_each_connection_has_a_token_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = set()
    for minute in (1, 20):
        monkeypatch.setattr(
            "botocore.auth.get_current_datetime", lambda *_, at=minute, **__: datetime(2026, 1, 1, 1, at, tzinfo=UTC)
        )
        tokens.add(token_for(f"iam:app@{HOST}"))
    assert len(tokens) == 2


def test_a_token_with_a_session_is_long_and_gets_in(
    server: Server, still: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "s" * 1500)
    dsn = f"iam:{ESCAPED}@{HOST}?{tunnel(server)}"
    let_in(server, token_for(dsn))
    assert who(dsn) == (USER, "postgres", True)


def test_the_token_arrives_as_the_password_and_a_refusal_says_what_iam_takes(authority: Authority) -> None:
    with Door(authority.vouch(HOST)) as door:
        with pytest.raises(CouldNotConnect, match="PAM authentication failed") as refused:
            who(f"iam:app@{HOST}?tunnel={door.port}")
        assert [password.partition("/?")[0] for password in door.passwords] == [f"{HOST}:5432"]
        assert door.passwords[0] not in str(refused.value)
    assert "rds_iam" in (refused.value.remedy or "")
    assert "rds-db:connect" in (refused.value.remedy or "")


def test_no_token_without_credentials_or_a_region(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    with pytest.raises(AwsFailed, match=r"could not make a token .* no AWS region is set"):
        resolve("iam:app@db.example.com")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with pytest.raises(AwsFailed, match="no AWS credentials"):
        resolve(f"iam:app@{HOST}")


def test_a_profile_that_does_not_exist_is_named() -> None:
    with pytest.raises(AwsFailed, match="nobodys"):
        resolve(f"iam:app@{HOST}?profile=nobodys")


def test_without_boto3_it_is_said_what_to_install() -> None:
    program = (
        f"import sys; sys.modules['boto3'] = None; from partwarden.cli import main; main(['install', 'iam:app@{HOST}'])"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert answer.returncode == 3
    assert "pip install 'partwarden[aws]'" in answer.stderr
    assert "Traceback" not in answer.stderr


# Whom we talk to


@pytest.mark.parametrize("kind", ["iam", "secret"])
def test_another_authority_is_refused_before_a_password_is_sent(
    kind: str, moto_account: Account, tmp_path: Path, authority: Authority
) -> None:
    secret(moto_account, {"username": "app", "password": MARK, "host": HOST})
    with Door(Authority(tmp_path / "other", "another").vouch(HOST)) as door:
        dsn = {"iam": f"iam:app@{HOST}", "secret": "aws-secret:prod/app"}[kind]
        with pytest.raises(CouldNotConnect, match="certificate verify failed") as refused:
            who(f"{dsn}?tunnel={door.port}")
        assert door.passwords == []
        assert str(authority.certificate) in (refused.value.remedy or "")


@pytest.mark.parametrize("host", ["other.cluster-c1.us-east-1.rds.amazonaws.com", "127.0.0.1"])
def test_another_name_is_refused_before_a_password_is_sent(host: str, authority: Authority) -> None:
    with Door(authority.vouch(HOST)) as door:
        with pytest.raises(CouldNotConnect, match="does not match host name") as refused:
            who(f"iam:app@{host}?tunnel={door.port}&region=us-east-1")
        assert door.passwords == []
    assert "tunnel=PORT" in (refused.value.remedy or "")


def test_settings_of_the_environment_do_not_weaken_it(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PGSSLMODE": "disable", "PGHOST": "127.0.0.1", "PGSSLROOTCERT": "/nowhere"}.items():
        monkeypatch.setenv(name, value)
    with (
        Door(authority.vouch("another.name")) as door,
        pytest.raises(CouldNotConnect, match="does not match host name"),
    ):
        who(f"iam:app@{HOST}?tunnel={door.port}")


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer"])
def test_a_token_never_goes_unencrypted(mode: str) -> None:
    with pytest.raises(CouldNotConnect, match="has to be encrypted"):
        resolve(f"iam:app@{HOST}?sslmode={mode}")


def test_a_server_of_no_tls_is_refused(server: Server, moto_account: Account) -> None:
    secret(moto_account, {"username": USER, "password": MARK, "host": HOST})
    with psycopg.connect(server.cluster.dsn(), autocommit=True) as connection:
        connection.execute("alter system set ssl = off")
        connection.execute("select pg_reload_conf()")
        try:
            wait_until(lambda: not speaks_tls(server), "the postmaster has read its settings")
            with pytest.raises(CouldNotConnect, match="does not support SSL"):
                who(f"aws-secret:prod/app?{tunnel(server)}")
        finally:
            connection.execute("alter system set ssl = on")
            connection.execute("select pg_reload_conf()")
            wait_until(lambda: speaks_tls(server), "the postmaster has read its settings")


def speaks_tls(server: Server) -> bool:
    with psycopg.connect(server.cluster.dsn(), sslmode="prefer") as connection:
        return bool(connection.pgconn.ssl_in_use)


def test_without_certificates_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "/nowhere/ca.pem")
    with pytest.raises(CaBundleMissing, match=r"/nowhere/ca\.pem"):
        who(f"iam:app@{HOST}?tunnel=1")


def test_a_file_of_certificates_may_stand_in_the_login(
    server: Server, still: None, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "/nowhere/ca.pem")
    dsn = f"iam:{ESCAPED}@{HOST}?{tunnel(server)}&sslrootcert={authority.certificate}"
    let_in(server, token_for(dsn))
    assert who(dsn)[0] == USER


# By a secret


def test_a_secret_gets_in_by_name_and_by_arn(server: Server, moto_account: Account) -> None:
    let_in(server, MARK)
    said = {"engine": "postgres", "username": USER, "password": MARK, "host": HOST, "port": 5432, "dbname": "shop"}
    arn = secret(moto_account, said)
    assert who(f"aws-secret:prod/app?{tunnel(server)}") == (USER, "shop", True)
    assert who(f"aws-secret:{arn}?{tunnel(server)}&dbname=postgres") == (USER, "postgres", True)


def test_a_secret_that_is_rotated_is_read_anew(server: Server, moto_account: Account) -> None:
    secret(moto_account, {"username": USER, "password": "first", "host": HOST})
    let_in(server, "first")
    dsn = f"aws-secret:prod/app?{tunnel(server)}"
    assert who(dsn)[0] == USER
    let_in(server, "second")
    with pytest.raises(CouldNotConnect, match="authentication failed") as refused:
        who(dsn)
    assert "rotation" in (refused.value.remedy or "")
    moto_account.client("secretsmanager").put_secret_value(
        SecretId="prod/app", SecretString=json.dumps({"username": USER, "password": "second", "host": HOST})
    )
    assert who(dsn)[0] == USER


@pytest.mark.parametrize("kind", ["cluster", "instance"])
def test_the_secret_that_rds_keeps_gets_in_by_the_servers_name(
    kind: str, server: Server, moto_account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    rds = moto_account.client("rds")
    managed: Any = {"MasterUsername": USER, "ManageMasterUserPassword": True}
    if kind == "cluster":
        made: Any = rds.create_db_cluster(
            DBClusterIdentifier="app", Engine="aurora-postgresql", DatabaseName="shop", **managed
        )["DBCluster"]
        host = made["Endpoint"]
    else:
        made = rds.create_db_instance(
            DBInstanceIdentifier="app", Engine="postgres", DBInstanceClass="db.t4g.micro", DBName="shop",
            AllocatedStorage=20, **managed,
        )["DBInstance"]  # fmt: skip
        host = made["Endpoint"]["Address"]
    arn = made["MasterUserSecret"]["SecretArn"]
    moto_account.client("secretsmanager").put_secret_value(
        SecretId=arn, SecretString=json.dumps({"username": USER, "password": MARK})
    )
    let_in(server, MARK)
    # The certificate is for one name only; that it is asked for the endpoint's is another test's.
    assert host in resolve(f"aws-secret:{kind}:app").conninfo
    assert who(f"aws-secret:{kind}:app?{tunnel(server)}&sslmode=verify-ca") == (USER, "shop", True)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (MARK, "no username and no password, or is not JSON"),
        (f'{{"username": "app", "password": "{MARK}', "no username and no password, or is not JSON"),
        ([MARK], "no username and no password"),
        ({"username": "app", "secret": MARK}, "no password"),
        ({"password": MARK}, "no username"),
        ({"username": "app", "password": 5, "x": MARK}, "no password"),
        ({"username": "app", "password": f"{MARK}\0"}, "no password"),
        ({"username": "app", "password": MARK, "engine": "mysql"}, "not PostgreSQL"),
        ({"username": "app", "password": MARK}, "does not say which server"),
        ({"username": "app", "password": MARK, "host": HOST, "port": "x"}, "does not say which server"),
        ({"username": "app", "password": MARK, "host": "127.0.0.1", "port": 1}, "Connection refused"),
    ],
)
def test_a_secret_that_does_not_do_is_refused_and_not_told(
    said: object, problem: str, moto_account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret(moto_account, said)
    caplog.clear()  # of what the test itself has sent
    with pytest.raises(CouldNotConnect, match=problem) as refused:
        who("aws-secret:prod/app")
    assert refused.value.remedy
    assert not mentions(refused.value)
    assert MARK not in caplog.text
    assert not mentions_mark(check_database("aws-secret:prod/app"))


def test_a_secret_that_is_not_there_or_not_ours_to_read_is_named(moto_account: Account) -> None:
    with pytest.raises(AwsFailed, match=r"could not read the secret of aws-secret:prod/app: ResourceNotFoundException"):
        resolve("aws-secret:prod/app")
    moto_account.client("secretsmanager").create_secret(Name="prod/binary", SecretBinary=MARK.encode())
    with pytest.raises(CouldNotConnect, match="not JSON"):
        resolve("aws-secret:prod/binary")


def test_a_right_that_is_missing_is_named_and_one_secret_is_enough(
    ministack_account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where rights bite: a user who may read one secret, and no other."""
    iam = ministack_account.client("iam")
    arn = secret(ministack_account, {"username": "app", "password": MARK, "host": HOST})
    secret(ministack_account, {"username": "app", "password": MARK, "host": HOST}, "prod/other")
    iam.create_user(UserName="reader")
    may = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": arn}
    iam.put_user_policy(
        UserName="reader", PolicyName="one", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [may]})
    )
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
    assert MARK in psycopg.conninfo.conninfo_to_dict(resolve("aws-secret:prod/app").conninfo).values()
    with pytest.raises(AwsFailed, match="could not read the secret of aws-secret:prod/other") as refused:
        resolve("aws-secret:prod/other")
    assert "secretsmanager:GetSecretValue" in (refused.value.remedy or "")


def test_a_server_without_a_secret_or_of_another_make_is_named(moto_account: Account) -> None:
    rds = moto_account.client("rds")
    common: Any = {"MasterUsername": "app", "MasterUserPassword": MARK}
    rds.create_db_cluster(DBClusterIdentifier="own", Engine="aurora-postgresql", **common)
    rds.create_db_cluster(DBClusterIdentifier="other", Engine="aurora-mysql", **common)
    with pytest.raises(CouldNotConnect, match="RDS keeps no secret for the master user of cluster own") as refused:
        resolve("aws-secret:cluster:own")
    assert "iam:USER@" in (refused.value.remedy or "")
    with pytest.raises(CouldNotConnect, match="aurora-mysql"):
        resolve("aws-secret:cluster:other")
    with pytest.raises(AwsFailed, match="could not look up cluster none"):
        resolve("aws-secret:cluster:none")


# What never shows


def test_no_log_has_a_token_or_a_secret_however_much_is_logged(
    server: Server, moto_account: Account, still: None, caplog: pytest.LogCaptureFixture
) -> None:
    secret(moto_account, {"username": USER, "password": MARK, "host": HOST})
    let_in(server, MARK)
    caplog.clear()
    for name in ("botocore.auth", "botocore.parsers", "botocore.endpoint"):
        logging.getLogger(name).setLevel(logging.NOTSET)
    caplog.set_level(logging.DEBUG)
    assert who(f"aws-secret:prod/app?{tunnel(server)}")[0] == USER
    token = token_for(f"iam:app@{HOST}")
    assert MARK not in caplog.text
    assert parse_qs(token)["X-Amz-Signature"][0] not in caplog.text


def test_no_command_shows_a_secret_in_its_output_its_errors_or_its_command_line(
    moto_account: Account, authority: Authority, tmp_path: Path
) -> None:
    secret(moto_account, {"username": "app", "password": MARK, "host": HOST})
    config = tmp_path / "partwarden.yaml"
    config.write_text("databases: [{name: app, dsn: 'aws-secret:prod/app'}]\n")
    with Door(authority.vouch(HOST), quiet=True) as door:
        dsn = f"aws-secret:prod/app?tunnel={door.port}&connect_timeout=2"
        running = subprocess.Popen(
            [sys.executable, "-X", "dev", "-m", "partwarden", "check", dsn],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert door.got_one.wait(30)
        seen = [Path(f"/proc/{running.pid}/{what}").read_bytes() for what in ("cmdline", "environ")]
        out, err = running.communicate(timeout=30)
        assert door.passwords == [MARK]
    assert running.returncode == 3
    assert not any(MARK.encode() in each for each in seen)
    assert MARK not in out + err


@pytest.mark.parametrize(
    "command",
    [
        ["check"], ["install"], ["uninstall"], ["schedule"], ["unschedule"], ["incidents", "list"],
        ["drain", "app.events", "-d"], ["repair", "-d"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_every_command_takes_the_login_and_says_that_it_is_refused(
    command: list[str], moto_account: Account, authority: Authority, capsys: pytest.CaptureFixture[str]
) -> None:
    secret(moto_account, {"username": "app", "password": MARK, "host": HOST})
    with Door(authority.vouch(HOST)) as door, pytest.raises(SystemExit) as left:
        main([*command, f"aws-secret:prod/app?tunnel={door.port}"])
    out, err = capsys.readouterr()
    assert (left.value.code, door.passwords[0]) == (3, MARK)
    assert "PAM authentication failed" in out + err
    assert "aws-secret:prod/app" in out + err
    assert MARK not in out + err


def test_a_command_does_its_work_through_it(
    server: Server, moto_account: Account, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    database = server.new_database()
    let_in(server, MARK)
    secret(moto_account, {"username": USER, "password": MARK, "host": HOST, "dbname": database.name})
    dsn = f"aws-secret:prod/app?{tunnel(server)}"
    with pytest.raises(SystemExit) as left:
        main(["install", dsn])
    assert left.value.code == 0
    config = tmp_path / "partwarden.yaml"
    config.write_text(f"databases: [{{name: shop, dsn: '{dsn}'}}]\n")
    with pytest.raises(SystemExit) as left:
        main(["check", "--config", str(config), "--format", "json", "--only", "gap"])
    out, _ = capsys.readouterr()
    assert left.value.code == 0
    assert f'"database": "{database.name}"' in out
    server.drop_database(database)


def test_a_trial_is_filled_through_it_once(
    server: Server, moto_account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    let_in(server, MARK)
    secret(moto_account, {"username": USER, "password": MARK, "host": HOST})
    said = []
    for _ in range(2):
        with pytest.raises(SystemExit) as left:
            main(["aws", "trial", "fill", "-d", f"aws-secret:prod/app?{tunnel(server)}"])
        assert left.value.code == 0
        said.append(capsys.readouterr().out)
    assert "made extension pg_partman" in said[0]
    assert said[0].count("made partition set data_mart.") == 7
    assert said[1] == "all is there already; nothing to do\n"


def mentions(error: BaseException | None) -> bool:
    """Whether the mark is in an error, in what it came from, or in anything that they carry."""
    while error is not None:
        carried = [*error.args, *vars(error).values(), *traceback.format_exception_only(error), str(error), repr(error)]
        if any(mentions_mark(each) for each in carried):
            return True
        error = error.__cause__ or error.__context__
    return False


def mentions_mark(what: object) -> bool:
    return MARK in str(what) or MARK in repr(what) or json.dumps(MARK)[1:-1] in str(what)
