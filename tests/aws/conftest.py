"""Two AWS on this machine for the tests: moto for the network and RDS, ministack where code runs and rights bite."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from urllib.parse import urlsplit

import botocore.loaders
import pytest
from moto.server import ThreadedMotoServer

from partwarden.aws.account import Account
from partwarden.local.aws import LocalAws
from tests.aws.guard import Guard, only_loopback
from tests.aws.mended_moto import mend


@pytest.fixture(scope="package", autouse=True)
def guard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guard]:
    """Dummy keys, and no connection beyond loopback, also in subprocesses that are Python."""
    with only_loopback(tmp_path_factory.mktemp("guard")) as guard:
        yield guard


@pytest.fixture(autouse=True)
def nothing_leaves_this_machine(guard: Guard) -> Iterator[None]:
    """A test fails that has wanted to, even where the product has taken it for a network that is down."""
    yield
    assert guard.take_attempts() == []


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulators are done at once, or nearly."""
    for module in ("stacks", "attachment", "subscriptions", "test_alert"):
        monkeypatch.setattr(f"partwarden.aws.{module}._POLL_SECONDS", 0.02)


@pytest.fixture(scope="package", autouse=True)
def models_are_read_once() -> Iterator[None]:
    """botocore reads megabytes of JSON for each session that meets a service; the sessions of these tests share them."""
    loader = botocore.loaders.create_loader()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.loaders, "create_loader", lambda *_: loader)
        yield


@pytest.fixture(scope="package")
def moto_endpoint() -> Iterator[str]:
    """The address of a moto that runs in this process."""
    with pytest.MonkeyPatch.context() as patch:
        mend(patch)
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
        server.stop()


@pytest.fixture
def moto_account(moto_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Account:
    """An empty account in moto, which the environment leads to, also that of subprocesses."""
    _post(moto_endpoint, "/moto-api/reset")
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_endpoint)
    return Account.of()


@pytest.fixture(scope="package")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """A ministack of this package's own, as each test empties it."""
    aws = LocalAws(tmp_path_factory.mktemp("ministack"))
    aws.start()
    yield aws
    aws.stop()


@pytest.fixture
def ministack_account(ministack: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Account:
    """The root of an account in ministack, with IAM on, which the environment leads to; emptied for each test."""
    _post(ministack.endpoint, "/_ministack/reset")
    monkeypatch.setenv("AWS_ENDPOINT_URL", ministack.endpoint)
    return Account.of()


def _post(endpoint: str, path: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(endpoint).netloc, timeout=10)
    connection.request("POST", path)
    assert connection.getresponse().status == 200
    connection.close()
