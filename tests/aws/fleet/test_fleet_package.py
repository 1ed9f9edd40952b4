"""The functions' package: all that they import, nothing more, the same bytes again, and no secret in an error."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import sysconfig
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from partwarden.aws.fleet.package import HANDLERS, build, fetch_libraries
from partwarden.errors import PackageFailed
from tests.aws.fleet.installed import package_for_here

VERSION = metadata.version("psycopg")


def test_handlers_import_from_the_package_alone_and_all_of_ours_that_is_in_it(tmp_path: Path) -> None:
    package = package_for_here("no certificates")
    with zipfile.ZipFile(io.BytesIO(package.to_zip())) as archive:
        archive.extractall(tmp_path)
    # Without the site's own paths, on which partwarden lies; boto3 is what Lambda's runtime brings.
    program = (
        f"import json, sys; sys.path[:0] = [{str(tmp_path)!r}]; sys.path.append({sysconfig.get_path('purelib')!r})\n"
        f"import {', '.join(HANDLERS)}, partwarden.aws.credentials, psycopg, psycopg.pq\n"
        "assert psycopg.pq.__impl__ == 'binary'\n"
        "print(json.dumps({name: module.__file__ for name, module in sys.modules.items()"
        " if name.partition('.')[0] in ('partwarden', 'psycopg', 'psycopg_binary') and module.__file__}))"
    )
    answer = subprocess.run([sys.executable, "-S", "-B", "-c", program], capture_output=True, text=True, check=True)
    files = {Path(file).relative_to(tmp_path) for file in json.loads(answer.stdout).values()}
    imported = {str(file) for file in files if file.parts[0] == "partwarden"}
    assert imported == {name for name in package.contents if name.startswith("partwarden/") and name.endswith(".py")}
    assert not [name for name in package.contents if "__pycache__" in name or name.endswith((".pyi", ".pyc"))]


def test_same_contents_are_the_same_package() -> None:
    first, second = (build({"a.py": b"1", "b.py": b"2"}, b"certificates") for _ in range(2))
    assert first.to_zip() == second.to_zip()
    assert first.hash == second.hash
    assert build({"a.py": b"12", "b.py": b""}, b"certificates").hash != first.hash
    assert first.contents["rds-ca-bundle.pem"] == b"certificates"


def wheel(folder: Path, name: str, tag: str, contents: dict[str, str], version: str = VERSION) -> None:
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    files = {
        **contents,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: false\nTag: {tag}\n",
        f"{info}/licenses/LICENSE.txt": "LGPL",
    }
    record = "".join(
        f"{file},sha256={hashlib.sha256(text.encode()).hexdigest()},{len(text)}\n" for file, text in files.items()
    )
    with zipfile.ZipFile(folder / f"{module}-{version}-{tag}.whl", "w") as archive:
        for file, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(file, text)


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package index in a folder, with psycopg for arm64 only."""
    wheel(tmp_path, "psycopg", "py3-none-any", {"psycopg/__init__.py": "", "psycopg/x.pyi": "", "psycopg/py.typed": ""})
    wheel(
        tmp_path,
        "psycopg-binary",
        "cp312-cp312-manylinux2014_aarch64.manylinux_2_17_aarch64",
        {"psycopg_binary/pq.so": "arm"},
    )
    wheel(tmp_path, "psycopg-binary", "cp311-cp311-manylinux2014_aarch64", {"psycopg_binary/pq.so": "too old"})
    version = metadata.version("typing-extensions")
    wheel(tmp_path, "typing-extensions", "py3-none-any", {"typing_extensions.py": ""}, version)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    return tmp_path


def test_libraries_are_those_of_lambdas_python_and_processor(wheels: Path) -> None:
    libraries = fetch_libraries("arm64")
    assert libraries["psycopg_binary/pq.so"] == b"arm"
    assert sorted(name for name in libraries if "dist-info" not in name) == [
        "psycopg/__init__.py", "psycopg_binary/pq.so", "typing_extensions.py",
    ]  # fmt: skip
    info = {name.partition("/")[2] for name in libraries if name.startswith(f"psycopg-{VERSION}.dist-info")}
    assert info == {"METADATA", "licenses/LICENSE.txt"}


def test_what_is_not_to_be_had_is_said(wheels: Path) -> None:
    with pytest.raises(
        PackageFailed, match=f"psycopg-binary=={VERSION}.* for Python 3.12 on Linux, x86_64: ERROR"
    ) as failed:
        fetch_libraries("x86_64")
    assert "PIP_FIND_LINKS" in str(failed.value.remedy)


def test_password_of_a_package_index_is_not_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://someone:very-secret@127.0.0.1:1/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with pytest.raises(PackageFailed) as failed:
        fetch_libraries("arm64")
    assert "very-secret" not in str(failed.value)
