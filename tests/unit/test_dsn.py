"""Connection strings that lead through AWS or the environment: what they mean, and that no password is taken or shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from partwarden.config import read_config
from partwarden.database import connect
from partwarden.dsn import (
    SECRETS,
    AwsOptions,
    IamLogin,
    SecretLogin,
    ServerLogin,
    aws_login,
    resolve,
    title,
    without_password,
)
from partwarden.errors import BadConfig, CouldNotConnect
from partwarden.health import check_database

HOST = "app.cluster-c1.eu-west-1.rds.amazonaws.com"
ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/app-AbCdEf"
MARK = "hunter2-never-shown"
NOTHING = AwsOptions()


@pytest.mark.parametrize(
    ("dsn", "login"),
    [
        (f"iam:app@{HOST}", IamLogin("app", HOST, 5432, NOTHING)),
        (f"iam:app@{HOST.upper()}:6432/shop", IamLogin("app", HOST, 6432, AwsOptions("shop"))),
        (
            f"iam:o%40d%2Fd@{HOST}/a%2Fb?region=us-east-1&profile=prod&tunnel=15432&sslrootcert=%2Fca%20s.pem",
            IamLogin("o@d/d", HOST, 5432, AwsOptions("a/b", "us-east-1", "prod", 15432, {"sslrootcert": "/ca s.pem"})),
        ),
        ("aws-secret:prod/app", SecretLogin("prod/app", NOTHING)),
        (f"aws-secret:{ARN}", SecretLogin(ARN, NOTHING)),
        (
            "aws-secret:rds!cluster-1-2-3?dbname=app",
            SecretLogin("rds!cluster-1-2-3", AwsOptions("app")),
        ),
        ("aws-secret:cluster:app", ServerLogin("app", is_cluster=True, options=NOTHING)),
        (
            "aws-secret:instance:app-1/shop?connect_timeout=3",
            ServerLogin("app-1", is_cluster=False, options=AwsOptions("shop", parameters={"connect_timeout": "3"})),
        ),
    ],
)
def test_a_login_through_aws_is_understood(dsn: str, login: object) -> None:
    assert aws_login(dsn) == login


@pytest.mark.parametrize(
    "dsn",
    [
        "host=localhost", "postgresql://a@b/c", "service=shop", "", "env:SHOP_DSN",
    ],
)  # fmt: skip
def test_anything_else_is_left_to_libpq(dsn: str) -> None:
    assert aws_login(dsn) is None


@pytest.mark.parametrize(
    "dsn",
    [
        f"iam:app:{MARK}@{HOST}/shop",
        f"iam:{MARK}",
        f"iam:@{HOST}",
        f"iam:app@{HOST}:{MARK}",
        f"iam:app@{HOST}:99999?x={MARK}",
        f"iam:app@{HOST}?tunnel={MARK}",
        f"iam:app@{HOST}?tunnel=%D9%A3",
        f"iam:app@{HOST}?{MARK}",
        f"iam:app@{HOST}?{MARK}=1",
        f"iam:app@{HOST}?user={MARK}",
        f"aws-secret:{MARK}:{MARK}",
        "aws-secret:",
        "aws-secret:a name",
        f"aws-secret:arn:aws:iam::1:role/{MARK}",
        f"aws-secret:prod/app?{MARK}",
        *(f"iam:app@{HOST}?{part}={MARK}" for part in sorted(SECRETS)),
    ],
)
def test_what_is_malformed_is_refused_and_not_repeated(dsn: str, tmp_path: Path) -> None:
    for attempt in (aws_login, without_password, resolve):
        with pytest.raises(CouldNotConnect) as refused:
            attempt(dsn)
        assert refused.value.remedy
        assert MARK not in str(refused.value)
    report = check_database(dsn)
    assert report.error
    assert MARK not in repr(report)
    file = tmp_path / "partwarden.yaml"
    file.write_text(f"databases:\n  - {{name: first, dsn: '{dsn}'}}\n")
    with pytest.raises(BadConfig) as bad:
        read_config(file)
    assert MARK not in str(bad.value)


@pytest.mark.parametrize(
    ("dsn", "shown"),
    [
        (f"iam:app@{HOST}/shop?profile=prod", f"iam:app@{HOST}:5432/shop"),
        ("aws-secret:prod/app?dbname=shop&region=us-east-1", "aws-secret:prod/app?dbname=shop"),
        ("aws-secret:cluster:app", "aws-secret:cluster:app"),
        ("env:SHOP_DSN", "env:SHOP_DSN"),
    ],
)
def test_a_report_names_the_login_without_its_options(dsn: str, shown: str) -> None:
    assert without_password(dsn) == shown


def test_a_file_may_name_a_login_through_aws(tmp_path: Path) -> None:
    file = tmp_path / "partwarden.yaml"
    file.write_text(
        f"databases:\n  - {{name: a, dsn: 'iam:app@{HOST}/shop'}}\n  - {{name: b, dsn: 'aws-secret:{ARN}'}}\n"
    )
    assert [each.conninfo for each in read_config(file).databases] == [f"iam:app@{HOST}/shop", f"aws-secret:{ARN}"]


def test_a_variable_holds_the_whole_connection_string(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_DSN", f"host=127.0.0.1 port=1 user=app password={MARK}")
    login = resolve("env:SHOP_DSN")
    assert MARK in login.conninfo
    assert MARK not in repr(login)
    with pytest.raises(CouldNotConnect, match=r"host=127\.0\.0\.1") as refused, connect("env:SHOP_DSN"):
        pass
    assert MARK not in str(refused.value)


def test_a_variable_that_is_missing_or_leads_in_circles_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHOP_DSN", raising=False)
    with pytest.raises(CouldNotConnect, match="no variable SHOP_DSN"):
        resolve("env:SHOP_DSN")
    monkeypatch.setenv("SHOP_DSN", "env:SHOP_DSN")
    with pytest.raises(CouldNotConnect, match="names another variable"):
        resolve("env:SHOP_DSN")


@pytest.mark.parametrize(
    ("dsn", "called"),
    [
        ("host=db.example.com dbname=app user=dba password=secret", "app on db.example.com"),
        ("postgresql://dba:secret@db.example.com:6432/app?sslmode=require", "app on db.example.com port 6432"),
        ("service=prod", "prod"),
        ("host=/var/run/postgresql dbname=app port=5432", "app"),
        ("user=dba", "dba"),
        ("", "the default database"),
        ("password='x", "(not a connection string)"),
        ("env:APP_DSN", "env:APP_DSN"),
    ],
)
def test_a_page_calls_a_database_by_what_it_is_and_not_by_how_to_get_in(dsn: str, called: str) -> None:
    assert title(dsn) == called
