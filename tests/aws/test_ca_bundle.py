"""The certificates of RDS: fetched over TLS that is verified, kept whole or not at all, or taken from a file."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from partwarden.aws.ca_bundle import VARIABLE, ca_bundle, fetch, keep, kept_file
from partwarden.cli import main
from partwarden.errors import CaBundleMissing
from tests.aws.authority import Authority


class Site:
    """A web server on loopback with a certificate, which answers what it is told to."""

    def __init__(self, authority: Authority) -> None:
        self.answer: tuple[int, dict[str, str], bytes] = (200, {}, b"")
        self.asked = 0
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked += 1
                code, headers, body = site.answer
                self.send_response(code)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        mine = authority.vouch("localhost")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(mine.certificate, mine.key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign] # a client that does not trust us
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"https://localhost:{self._server.server_port}/global-bundle.pem"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), "of the test")


@pytest.fixture(scope="module")
def running(authority: Authority) -> Iterator[Site]:
    site = Site(authority)
    yield site
    site.close()


@pytest.fixture
def site(running: Site, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A site that this machine trusts, and an empty cache."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("partwarden.aws.ca_bundle.URL", running.url)
    monkeypatch.setattr(fetch, "__defaults__", (running.url,))
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.delenv("PGSSLROOTCERT", raising=False)
    running.answer = (200, {}, authority.certificate.read_bytes() * 3)
    running.asked = 0
    return running


def test_it_is_fetched_once_and_kept(site: Site, authority: Authority) -> None:
    assert ca_bundle() == ca_bundle() == kept_file()
    assert site.asked == 1
    assert kept_file().read_bytes() == authority.certificate.read_bytes() * 3
    assert [each.name for each in kept_file().parent.iterdir()] == [kept_file().name]
    assert fetch().certificates == 3


@pytest.mark.parametrize(
    ("code", "headers", "body", "problem"),
    [
        (404, {}, b"not here", "the answer is 404"),
        (302, {"Location": "http://127.0.0.1:1/"}, b"", "the answer is 302"),
        (200, {}, b"<html>Log in to this hotel's network</html>", "not a list of certificates"),
        (200, {}, b"", "not a list of certificates"),
        (200, {}, b"-----BEGIN CERTIFICATE-----\nhello\n-----END CERTIFICATE-----\n", "not a certificate"),
        (200, {}, b"-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n", "not a certificate"),
        (200, {}, b"\xff" * 5_000_000, "larger than"),
        (200, {"Content-Length": "99999"}, b"HALF", "broke off"),
        (200, {}, b"NO END", "not whole"),
        (200, {}, b"NO AUTHORITY", "none of its certificates is an authority's"),
    ],
)
def test_what_is_no_bundle_is_refused_and_the_one_that_was_kept_stays(
    site: Site, authority: Authority, code: int, headers: dict[str, str], body: bytes, problem: str
) -> None:
    good = authority.certificate.read_bytes()
    bodies = {
        b"HALF": good,
        b"NO END": good + good[:-30],
        b"NO AUTHORITY": authority.vouch("a").certificate.read_bytes(),
    }
    for had in (False, True):
        if had:
            keep(authority.certificate)
        site.answer = (code, headers, bodies.get(body, body))
        with pytest.raises(CaBundleMissing, match=problem) as refused:
            fetch()
        assert VARIABLE in (refused.value.remedy or "")
        assert kept_file().exists() is had
        assert not had or [each.name for each in kept_file().parent.iterdir()] == [kept_file().name]
        assert not had or kept_file().read_bytes() == good


def test_a_site_that_this_machine_does_not_trust_is_not_listened_to(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(Authority(tmp_path / "another", "another").certificate))
    with pytest.raises(CaBundleMissing, match="certificate verify failed"):
        ca_bundle()
    assert site.asked == 0
    assert not kept_file().exists()


def test_a_machine_that_does_not_reach_it_says_what_to_do(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "__defaults__", ("https://127.0.0.1:1/global-bundle.pem",))
    with pytest.raises(CaBundleMissing, match="refused") as refused:
        ca_bundle()
    assert f"export {VARIABLE}=FILE" in (refused.value.remedy or "")


def test_a_cache_that_can_not_be_written_is_named(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "a file"))
    with pytest.raises(CaBundleMissing, match=r"could not keep .*a file"):
        ca_bundle()


def test_a_file_that_is_named_is_taken_and_nothing_is_fetched(
    site: Site, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGSSLROOTCERT", "/nowhere/pg.pem")
    with pytest.raises(CaBundleMissing, match=r"PGSSLROOTCERT names /nowhere/pg\.pem, which can't be read"):
        ca_bundle()
    monkeypatch.setenv(VARIABLE, str(authority.certificate))
    assert ca_bundle() == authority.certificate
    assert site.asked == 0


def test_the_command_prints_the_file_fetches_it_anew_or_takes_one_from_elsewhere(
    site: Site, authority: Authority, capsys: pytest.CaptureFixture[str]
) -> None:
    for options, asked in (([], 1), ([], 1), (["--refresh"], 2), (["--from", str(authority.certificate)], 2)):
        with pytest.raises(SystemExit) as left:
            main(["aws", "ca-bundle", *options])
        assert (left.value.code, site.asked) == (0, asked)
        assert capsys.readouterr().out == f"{kept_file()}\n"
    assert kept_file().read_bytes() == authority.certificate.read_bytes()
