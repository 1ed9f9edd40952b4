"""The private cluster: made whole or not at all, reused, found again, closed to others, never root's."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from partwarden.errors import StackFailed
from partwarden.local import cluster as clusters
from partwarden.local.cluster import Cluster, free_port
from tests.servers import MAJORS, find_server, required_majors
from tests.waiting import wait_until


@pytest.fixture(params=MAJORS, ids=lambda major: f"pg{major}")
def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cluster]:
    """A cluster that has not been made yet, on each server."""
    installation = find_server(request.param)
    if installation is None:
        assert request.param not in required_majors()
        pytest.skip(f"no PostgreSQL {request.param} here")
    folder = (installation.root or Path("/")) / f"var/tmp/partwarden-cluster-{secrets.token_hex(4)}"
    made = Cluster(installation, folder, secrets_folder=tmp_path / "private", settings={"fsync": "off"})
    yield made
    made.destroy()
    assert not folder.exists()


def postmaster(cluster: Cluster) -> int:
    return int((cluster.folder / "data" / "postmaster.pid").read_text().splitlines()[0])


def test_a_second_start_reuses_it_and_a_stop_keeps_the_data(cluster: Cluster) -> None:
    assert cluster.start() is True
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute("create table kept as select 42 as answer")
    assert cluster.start() is False
    assert cluster.stop() is True
    assert cluster.stop() is False
    assert not cluster.is_running()
    with socket.create_server(("127.0.0.1", cluster.port)):  # somebody takes its port meanwhile
        taken = cluster.port
        cluster.start()
    assert cluster.port != taken
    with psycopg.connect(cluster.dsn()) as connection:
        assert connection.execute("select answer from kept").fetchone() == (42,)


def test_it_is_closed_to_other_users_and_does_not_run_as_root(cluster: Cluster) -> None:
    cluster.start()
    assert cluster.password_file.stat().st_mode & 0o777 == 0o600
    assert (cluster.folder / "data").stat().st_mode & 0o777 == 0o700
    for password in ("", "wrong"):
        with pytest.raises(psycopg.OperationalError, match=r"password"):
            psycopg.connect(make_conninfo(cluster.dsn(), passfile=os.devnull, password=password))
    uid = next(
        line.split()[1]
        for line in Path(f"/proc/{postmaster(cluster)}/status").read_text().splitlines()
        if line.startswith("Uid:")
    )
    assert uid != "0"
    with psycopg.connect(cluster.dsn()) as connection:
        shown = connection.execute(
            "select current_setting('listen_addresses'), current_setting('unix_socket_directories'), "
            "current_setting('shared_preload_libraries')"
        ).fetchone()
    assert shown == ("127.0.0.1", "", "pg_cron")


def test_the_callers_own_settings_for_postgresql_do_not_matter(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PGPORT", "PGHOST", "PGDATA", "PGUSER", "PGDATABASE", "PGPASSFILE"):
        monkeypatch.setenv(name, "nonsense")
    cluster.start()
    monkeypatch.undo()
    with psycopg.connect(cluster.dsn()) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_a_killed_server_is_known_to_be_gone_and_starts_again(cluster: Cluster) -> None:
    cluster.start()
    pid = postmaster(cluster)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not cluster.is_running(), "the killed server is gone")
    assert cluster.start() is True
    assert postmaster(cluster) != pid


def test_a_stale_pid_file_is_no_obstacle_and_a_foreign_process_is_left_alone(cluster: Cluster) -> None:
    cluster.start()
    cluster.stop()
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as foreign:
        try:
            for pid in (foreign.pid, 2**22 - 1):
                (cluster.folder / "data" / "postmaster.pid").write_text(f"{pid}\n")
                assert not cluster.is_running()
                assert cluster.start() is True
                cluster.stop()
            assert foreign.poll() is None
        finally:
            foreign.kill()


def test_a_chosen_port_that_is_taken_is_named_and_nothing_is_started(cluster: Cluster) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        chosen = Cluster(cluster.installation, cluster.folder, secrets_folder=cluster.password_file.parent, port=port)
        with pytest.raises(StackFailed, match=f"port {port} on 127.0.0.1 is taken"):
            chosen.start()
        assert not chosen.is_running()


def test_what_an_interrupted_attempt_left_is_made_anew(cluster: Cluster) -> None:
    (cluster.folder / "data").mkdir(parents=True)
    (cluster.folder / "data" / "PG_VERSION").write_text("half")
    assert cluster.start() is True


def test_too_little_space_is_said_before_anything_is_made(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "_FREE_SPACE_NEEDED", 2**60)
    with pytest.raises(StackFailed, match="MB free") as failure:
        cluster.start()
    assert "PARTWARDEN_HOME" in str(failure.value.remedy)
    assert not cluster.folder.exists()
    assert not cluster.exists


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk takes root")
def test_a_disk_that_runs_full_leaves_nothing_half_made(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "_FREE_SPACE_NEEDED", 0)
    disk = cluster.folder.with_name(cluster.folder.name + "-disk")
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m,mode=755", "tmpfs", str(disk)], check=True)
    try:
        full = Cluster(cluster.installation, disk / "cluster", secrets_folder=cluster.password_file.parent / "full")
        with pytest.raises(StackFailed, match="No space left on device"):
            full.start()
        assert not full.folder.exists()
        assert not full.exists
    finally:
        subprocess.run(["umount", str(disk)], check=True)
        disk.rmdir()


def test_a_role_gets_a_password_of_its_own_in_the_private_file(cluster: Cluster) -> None:
    cluster.start()
    dsn = cluster.add_role("somebody: \\else")
    with psycopg.connect(dsn) as connection:
        assert connection.execute("select current_user").fetchone() == ("somebody: \\else",)
    assert "password=" not in dsn


def test_a_free_port_is_free() -> None:
    with socket.create_server(("127.0.0.1", free_port())):
        pass
