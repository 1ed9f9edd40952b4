"""What partwarden serve refuses to be started with, because it would be open, or contradicts itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from partwarden.cli.protecting import protection_of
from partwarden.cli.serving import Safety
from partwarden.errors import BadOption
from partwarden.web.access.protection import NoLogin, OidcLogin, ProxyLogin, TokenLogin
from tests.aws.fleet.tls import Authority
from tests.commands import partwarden

TOKEN = "0123456789abcdef0123456789abcdef"
BEYOND = Safety(host="0.0.0.0", host_name=("pw.example.com",))  # noqa: S104 - it is only asked about
OIDC = Safety(oidc_issuer="https://id.example.com", oidc_client_id="partwarden", allow_people=("*@example.com",))

Secret = Callable[[str], Path]


@pytest.fixture
def secret(tmp_path: Path) -> Secret:
    """Writes a file that only its owner can read."""

    def write(text: str) -> Path:
        file = tmp_path / "secret"
        file.write_text(text)
        file.chmod(0o600)
        return file

    return write


def refusal(safety: Safety, environment: dict[str, str] | None = None) -> BadOption:
    with pytest.raises(BadOption) as refused:
        protection_of(safety, environment or {})
    assert refused.value.remedy
    return refused.value


def test_on_this_machine_nobody_has_to_log_in() -> None:
    for host in ("127.0.0.1", "localhost", "::1", "[::1]", "127.0.0.2"):
        found = protection_of(Safety(host=host), {})
        assert isinstance(found.login, NoLogin)
        assert not found.allow_actions
        assert {"localhost", "127.0.0.1", "::1"} <= set(found.host_names)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "db.example.com", "localhost.example.com"])  # noqa: S104
def test_beyond_this_machine_a_login_is_needed(host: str) -> None:
    refused = refusal(replace(BEYOND, host=host))
    assert f"--host {host} is reached from other machines, and nobody would have to log in" in refused.problem
    assert "--token-file" in refused.remedy


def test_beyond_this_machine_a_name_is_needed() -> None:
    refused = refusal(replace(BEYOND, host_name=()), {"PARTWARDEN_WEB_TOKEN": TOKEN})
    assert "no name is said" in refused.problem
    named = replace(BEYOND, host_name=(), public_url="https://pw.example.com/")
    found = protection_of(named, {"PARTWARDEN_WEB_TOKEN": TOKEN})
    assert found.host_names == ("pw.example.com",)
    assert found.public_url == "https://pw.example.com"


def test_a_token_is_read_from_a_file_or_the_environment(secret: Secret) -> None:
    for safety, environment in (
        (replace(BEYOND, token_file=secret(f"{TOKEN}\n")), {}),
        (BEYOND, {"PARTWARDEN_WEB_TOKEN": TOKEN}),
    ):
        login = protection_of(safety, environment).login
        assert isinstance(login, TokenLogin)
        assert login.token.matches(TOKEN)
        assert not login.token.matches(TOKEN.upper())
        assert TOKEN not in repr(protection_of(safety, environment))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o620, 0o644])
def test_a_token_that_others_can_read_is_refused(secret: Secret, mode: int) -> None:
    file = secret(TOKEN)
    file.chmod(mode)
    refused = refusal(Safety(token_file=file))
    assert (f"mode {mode:04o}" in refused.problem, refused.remedy.startswith(f"chmod 600 {file}")) == (True, True)
    assert TOKEN not in str(refused)


@pytest.mark.parametrize("text", ["", " \n", "too short", "x" * 70_000])
def test_a_token_that_can_be_guessed_or_is_none_is_refused(secret: Secret, text: str) -> None:
    refused = refusal(Safety(token_file=secret(text)))
    assert "--token-file" in refused.problem
    assert not text.strip() or text.strip() not in str(refused)
    assert "20 are the least" in refusal(Safety(), {"PARTWARDEN_WEB_TOKEN": "short"}).problem


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "No such file" in refusal(Safety(token_file=tmp_path / "nothing")).problem
    assert "--token-file" in refusal(Safety(token_file=tmp_path)).problem


@pytest.mark.parametrize(
    ("safety", "problem"),
    [
        (replace(OIDC, trust_header="X-Forwarded-User", trusted_proxy=("10.0.0.1",)), "are two ways to log in"),
        (replace(OIDC, oidc_client_id=None), "--oidc-issuer needs --oidc-client-id"),
        (Safety(oidc_client_id="x"), "--oidc-client-id needs --oidc-issuer"),
        (replace(OIDC, oidc_issuer="http://id.example.com"), "could be changed on the way"),
        (replace(OIDC, oidc_issuer="id.example.com"), "no address of a page"),
        (replace(OIDC, allow_people=()), "whoever https://id.example.com knows would be let in"),
        (Safety(trust_header="X-Forwarded-User"), "--trust-header needs --trusted-proxy"),
        (Safety(trust_header="Cookie", trusted_proxy=("10.0.0.1",)), "no header of that name"),
        (Safety(trust_header="X: y", trusted_proxy=("10.0.0.1",)), "no header of that name"),
        (Safety(trusted_proxy=("0.0.0.0/0",)), "this is everybody"),
        (Safety(trusted_proxy=("the proxy",)), "neither an address nor a network"),
        (Safety(trusted_proxy=("10.0.0.1/8",)), "neither an address nor a network"),
        (Safety(allow_people=("*",)), "nobody here says reliably who somebody is"),
        (Safety(allow_actors=("anna",)), "--allow-actors needs --allow-actions"),
        (Safety(allow_actors=("anna",), allow_actions=True), "nobody has to log in"),
        (Safety(host_name=("pw.example.com",)), "pw.example.com leads other machines here"),
        (Safety(public_url="https://pw.example.com"), "pw.example.com leads other machines here"),
        (Safety(trusted_proxy=("127.0.0.1",)), "a proxy leads other machines here"),
        (Safety(host_name=("https://pw.example.com",)), "no name of a host"),
        (Safety(public_url="pw.example.com"), "no address of a page"),
        (Safety(public_url="https://pw.example.com/below"), "no address of a page"),
        (Safety(public_url="https://me:s3cr3t@pw.example.com"), "no address of a page"),
        (Safety(tls_key=Path("key.pem")), "--tls-key needs --tls-certificate"),
        (Safety(tls_certificate=Path("a.pem"), tls_key=Path("b.pem")), "No such file"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_does_not_fit_is_one_clear_error(safety: Safety, problem: str) -> None:
    refused = refusal(safety)
    assert problem in refused.problem
    assert "s3cr3t" not in str(refused)


def test_names_that_people_give_themselves_decide_nothing() -> None:
    environment = {"PARTWARDEN_WEB_TOKEN": TOKEN}
    assert (
        "--allow-actors goes by names"
        in refusal(Safety(allow_actions=True, allow_actors=("anna",)), environment).problem
    )
    assert "--allow-people goes by names" in refusal(Safety(allow_people=("anna",)), environment).problem


def test_all_that_is_said_is_kept(secret: Secret) -> None:
    said = replace(
        OIDC, host="0.0.0.0", host_name=("pw.example.com",), oidc_client_secret_file=secret("s"), allow_actions=True,  # noqa: S104
        allow_actors=("group:dba",), session_key_file=None, trusted_proxy=("10.0.0.0/28", "::1"), port=443, open_metrics=True,
    )  # fmt: skip
    found = protection_of(said, {})
    assert isinstance(found.login, OidcLogin)
    assert found.login.client_secret is not None
    assert found.lookers.holds("Anna@example.com")
    assert not found.lookers.holds("anna@evil.example", ["dba"])
    assert found.actors.holds("anna@example.com", ["dba"])
    assert not found.actors.holds("group:dba")
    assert (len(found.trusted_proxies), found.port, found.open_metrics) == (2, 443, True)
    login = protection_of(Safety(trust_header="X-Forwarded-User", trusted_proxy=("127.0.0.1",)), {}).login
    assert login == ProxyLogin("X-Forwarded-User")


def test_a_key_in_a_file_outlives_a_restart(secret: Secret) -> None:
    kept = Safety(session_key_file=secret("k" * 32))
    assert protection_of(kept, {}).session_key == protection_of(kept, {}).session_key
    assert protection_of(Safety(), {}).session_key != protection_of(Safety(), {}).session_key
    assert "32 are the least" in refusal(Safety(session_key_file=secret("short"))).problem


def test_a_certificate_that_does_not_fit_its_key_is_refused(tmp_path: Path) -> None:
    authority = Authority()
    files = tmp_path / "certificate.pem", tmp_path / "key.pem"
    for file, text in zip(files, (authority.certify()[0], authority.certify()[1]), strict=True):
        file.write_text(text)
    refused = refusal(Safety(tls_certificate=files[0], tls_key=files[1]))
    assert "--tls-certificate" in refused.problem


def test_the_command_refuses_in_words_and_starts_nothing() -> None:
    answer = partwarden("serve", "--host", "0.0.0.0", "-d", "host=127.0.0.1 port=9")  # noqa: S104
    assert (answer.returncode, answer.stdout) == (3, "")
    assert answer.stderr.startswith("error: --host 0.0.0.0 is reached from other machines")
    answer = partwarden("serve", "--token", "x" * 30, "-d", "host=127.0.0.1 port=9")
    assert (answer.returncode, "serve has no option --token" in answer.stderr) == (3, True)


def test_what_people_have_to_type_is_said() -> None:
    assert Safety().address_at(8432) == "http://127.0.0.1:8432/"
    assert Safety(host="::1").address_at(1) == "http://[::1]:1/"
    assert replace(BEYOND, tls_certificate=Path("c")).address_at(8432) == "https://pw.example.com:8432/"
    assert replace(BEYOND, public_url="https://pw.example.com").address_at(8432) == "https://pw.example.com/"
    assert BEYOND.is_in_clear
    assert not replace(BEYOND, public_url="https://pw.example.com").is_in_clear
    assert not Safety().is_in_clear
