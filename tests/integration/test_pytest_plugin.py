"""The fixture partwarden_server, in a test suite of somebody else's."""

from __future__ import annotations

import re
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from partwarden.local.installation import find_installations

pytest_plugins = ["pytester"]

PAGE = Path(__file__).parents[2] / "docs" / "pytest.md"

_PLUGIN = () if entry_points(group="pytest11", name="partwarden") else ("-p", "partwarden.pytest_plugin")

_OF_PG_PARTMAN_4 = {"p_interval => '1 day'": "p_type => 'native', p_interval => 'daily'"}


def _run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_subprocess(*_PLUGIN, "-p", "no:cacheprovider", *arguments)


def _a_complete_server() -> int:
    majors = [each.major for each in find_installations() if not each.missing_extensions]
    if not majors:
        pytest.skip("no PostgreSQL with pg_cron, pg_partman and PL/Python on this machine itself")
    return max(majors)


def test_the_example_of_the_page_works_and_so_does_what_it_promises(pytester: pytest.Pytester) -> None:
    major = _a_complete_server()
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    if major == 15:  # Debian 12 has pg_partman 4
        for of_5, of_4 in _OF_PG_PARTMAN_4.items():
            example = example.replace(of_5, of_4)
    pytester.makepyfile(
        example
        + """

def test_each_database_is_a_fresh_one(partwarden_server):
    one, other = partwarden_server.new_database(), partwarden_server.new_database()
    with psycopg.connect(one.dsn, autocommit=True) as connection:
        connection.execute(
            "select aws_lambda.invoke(%s, %s::json, null, 'Event')", (one.lambda_arn, '{"told": "ünï"}')
        )
        assert connection.execute("select current_user, to_regclass('events')").fetchone() == ("app_owner", None)
    assert [(each.payload, each.invocation_type) for each in one.invocations] == [({"told": "ünï"}, "Event")]
    assert one.invocations[0].function == one.lambda_arn
    assert other.invocations == ()


def test_a_function_that_fails_is_an_error_in_sql(partwarden_server):
    database = partwarden_server.new_database()
    partwarden_server.let_lambda_fail("out of order")
    with psycopg.connect(database.dsn, autocommit=True) as connection:
        with pytest.raises(psycopg.Error, match="lambda invocation failed") as refused:
            connection.execute("select aws_lambda.invoke(%s, '{}'::json)", (database.lambda_arn,))
        assert "out of order" in refused.value.diag.message_detail
        partwarden_server.let_lambda_fail(None)
        connection.execute("select aws_lambda.invoke(%s, '{}'::json)", (database.lambda_arn,))


def test_jobs_are_scheduled_by_the_owner(partwarden_server):
    database = partwarden_server.new_database()
    for dsn in (database.dsn, partwarden_server.cron_dsn):
        with psycopg.connect(dsn) as connection:
            install(connection)
    report = schedule(database.dsn, lambda_arn=database.lambda_arn, topic_arn=database.topic_arn)
    assert [job.change for job in report.jobs] == ["added", "added"]
""",
    )
    path = next(pytester.path.glob("test_*.py"))
    path.write_text("import pytest\nfrom partwarden.schedule import schedule\n" + path.read_text())
    _run(pytester, "-q", "--partwarden-postgres", str(major)).assert_outcomes(passed=4)


def test_where_there_is_no_such_server_tests_are_skipped_or_fail(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_without():
            assert "psycopg" not in sys.modules

        def test_with(partwarden_server):
            pass
        """
    )
    skipped = _run(pytester, "-q", "-rs", "--partwarden-postgres", "7")
    skipped.assert_outcomes(passed=1, skipped=1)
    skipped.stdout.fnmatch_lines(["*no PostgreSQL 7 server was found on this machine*"])
    failed = _run(pytester, "-q", "--partwarden-bindir", str(Path(sys.executable).parent), "--partwarden-require")
    failed.assert_outcomes(passed=1, errors=1)
    failed.stdout.fnmatch_lines(["*no PostgreSQL server was found*"])
