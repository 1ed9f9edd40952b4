"""The guard of these tests does what it says."""

from __future__ import annotations

import socket
import subprocess
import sys

import boto3
import pytest
from botocore.exceptions import HTTPClientError

from partwarden.aws.account import Account
from tests.aws.guard import Guard


def test_connection_beyond_loopback_fails(guard: Guard) -> None:
    with socket.socket() as outside, pytest.raises(AssertionError, match="beyond loopback"):
        outside.connect(("192.0.2.1", 80))
    with pytest.raises(AssertionError, match="beyond loopback"):
        socket.create_connection(("aws.example.com", 443), timeout=1)
    assert guard.take_attempts() == ["192.0.2.1", "aws.example.com"]


def test_connection_beyond_loopback_fails_in_a_subprocess_too(guard: Guard) -> None:
    program = "import socket; socket.socket().connect(('192.0.2.1', 80))"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)
    assert "beyond loopback" in answer.stderr
    assert guard.take_attempts() == ["192.0.2.1"]


def test_client_that_was_given_the_real_address_is_stopped(guard: Guard) -> None:
    real = boto3.session.Session().client("sts", endpoint_url="https://sts.us-east-1.amazonaws.com")
    with pytest.raises(HTTPClientError, match="beyond loopback"):
        real.get_caller_identity()
    assert set(guard.take_attempts()) == {"sts.us-east-1.amazonaws.com"}


def test_both_emulators_answer_with_an_account(moto_account: Account, ministack_account: Account) -> None:
    assert (moto_account.id, moto_account.region, moto_account.partition) == ("123456789012", "us-east-1", "aws")
    assert ministack_account.id == "000000000000"
