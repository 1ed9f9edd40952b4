"""A file that others may read at any moment is whole at any moment."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from partwarden.cli.whole_file import write_whole


def test_who_reads_meanwhile_has_all_of_one_or_all_of_the_other(tmp_path: Path) -> None:
    file = tmp_path / "partwarden.prom"
    texts = {letter * 200_000 for letter in "ab"}
    write_whole(file, min(texts))
    seen = set()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.add(file.read_text())
            assert len(list(tmp_path.glob("*.prom"))) == 1

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(50):
        for text in texts:
            write_whole(file, text)
    done.set()
    reader.join()
    assert seen <= texts
    assert list(tmp_path.iterdir()) == [file]


def test_what_is_in_its_way_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "partwarden.prom"
    write_whole(file, "old\n")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(file, "new\n")
    assert (file.read_text(), list(tmp_path.iterdir())) == ("old\n", [file])


def test_its_mode_is_that_of_a_file_written_plainly(tmp_path: Path) -> None:
    file, plain = tmp_path / "a.prom", tmp_path / "plain"
    plain.write_text("")
    write_whole(file, "1\n")
    assert stat.S_IMODE(file.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)
    file.chmod(0o640)
    write_whole(file, "2\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_the_file_behind_a_link_is_replaced_and_a_pipe_is_written_to(tmp_path: Path) -> None:
    file, link, pipe = tmp_path / "a.prom", tmp_path / "link.prom", tmp_path / "pipe"
    write_whole(file, "1\n")
    link.symlink_to(file)
    write_whole(link, "2\n")
    assert (link.is_symlink(), file.read_text()) == (True, "2\n")
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    write_whole(pipe, "3\n")
    reader.join()
    assert read == ["3\n"]
