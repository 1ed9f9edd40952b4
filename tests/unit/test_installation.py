"""Finding a PostgreSQL that has what the embedded stack needs, and saying what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from partwarden.errors import NotInstalled
from partwarden.local import installation as installations
from partwarden.local.installation import REQUIRED_EXTENSIONS, Installation, choose_installation, find_installations


def put_server(root: Path, major: int, *extensions: str) -> None:
    """The files of a Debian package, as far as they are looked at."""
    bindir = root / f"usr/lib/postgresql/{major}/bin"
    folder = root / f"usr/share/postgresql/{major}/extension"
    for place in (bindir, folder):
        place.mkdir(parents=True)
    for program in ("postgres", "initdb"):
        (bindir / program).touch()
    for extension in extensions:
        (folder / f"{extension}.control").touch()


def test_the_newest_comes_first_and_what_is_missing_is_named(tmp_path: Path) -> None:
    put_server(tmp_path, 15, *REQUIRED_EXTENSIONS)
    put_server(tmp_path, 17, "pg_cron")
    found = find_installations(root=tmp_path, user="postgres")
    assert [(each.major, each.missing_extensions) for each in found] == [(17, ("pg_partman", "plpython3u")), (15, ())]
    assert found[1].bindir == Path("/usr/lib/postgresql/15/bin")


def test_a_folder_without_the_programs_is_no_server(tmp_path: Path) -> None:
    (tmp_path / "usr/lib/postgresql/16/bin").mkdir(parents=True)
    assert find_installations(root=tmp_path) == []


def test_the_complete_one_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    newer = Installation(17, Path("/seventeen"), ("pg_cron",))
    older = Installation(15, Path("/fifteen"), ())
    monkeypatch.setattr(installations, "find_installations", lambda **_: [newer, older])
    assert choose_installation() is older
    with pytest.raises(NotInstalled, match="/seventeen: lacks pg_cron"):
        choose_installation(major=17)


def test_what_is_missing_comes_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installations, "find_installations", lambda **_: [])
    monkeypatch.setattr("shutil.which", lambda _: "/usr/bin/apt-get")
    with pytest.raises(NotInstalled, match="no PostgreSQL 17 server") as missing:
        choose_installation(major=17)
    assert missing.value.remedy == (
        "sudo apt-get install postgresql-17 postgresql-17-cron postgresql-17-partman postgresql-plpython3-17 python3-boto3"
    )


def test_elsewhere_than_on_debian_the_remedy_names_no_apt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installations, "find_installations", lambda **_: [])
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(NotInstalled) as missing:
        choose_installation()
    assert "apt-get" not in str(missing.value)
    assert "PARTWARDEN_PG_BINDIR" in str(missing.value.remedy)


def test_an_account_that_is_not_there_is_named() -> None:
    with pytest.raises(NotInstalled, match="no account 'nobody-of-that-name'"):
        Installation(15, Path("/bin"), (), user="nobody-of-that-name").owner()


def test_the_server_knows_its_files_by_paths_of_its_own_root() -> None:
    assert Installation(17, Path("/bin"), (), root=Path("/srv/root")).inside(Path("/srv/root/var/x")) == Path("/var/x")
    assert Installation(15, Path("/bin"), ()).inside(Path("/var/x")) == Path("/var/x")
