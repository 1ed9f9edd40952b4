"""The alert stack's template, as text: what is inline is the function, and addresses stay in their fields."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from partwarden.aws.template import EMAIL_PARAMETERS, TooManyAddresses, body, email_parameters

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "src" / "partwarden" / "aws"

# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html: a template that is sent along,
# instead of being read from a bucket.
_TEMPLATE_BYTES = 51_200


@pytest.fixture(scope="module")
def inlining() -> ModuleType:
    spec = importlib.util.spec_from_file_location("inline_functions", ROOT / "scripts" / "inline-functions.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_function_inline_is_the_function_of_the_tests(inlining: ModuleType) -> None:
    assert inlining.inlined(body()) == body(), "run scripts/inline-functions.py"
    source = (FOLDER / "alert_function.py").read_text(encoding="utf-8")
    indented = body().partition("ZipFile: |\n")[2]
    inline = "".join(
        line.removeprefix(" " * 10) for line in indented.splitlines(keepends=True)[: len(source.splitlines())]
    )
    assert inline == source


def test_a_change_of_the_function_is_noticed_and_put_in(inlining: ModuleType) -> None:
    changed = body().replace("import boto3", "import boto4", 1)
    assert changed != body()
    assert inlining.inlined(changed) == body()


def test_what_is_inline_is_ascii() -> None:
    """CloudFormation takes other characters for question marks in inline code."""
    assert (FOLDER / "alert_function.py").read_text(encoding="utf-8").isascii()


def test_the_template_can_be_sent_along() -> None:
    assert len(body().encode()) < _TEMPLATE_BYTES


def test_no_yaml_that_cloudformation_does_not_take() -> None:
    assert re.findall(r"^ *(?:- )?\w+: [&*]\w+ *$|<<:", body(), re.MULTILINE) == []


def addresses(*values: str) -> dict[str, str]:
    return dict(zip(EMAIL_PARAMETERS, (*values, *("",) * (len(EMAIL_PARAMETERS) - len(values))), strict=True))


def test_the_addresses_of_a_new_stack_fill_the_fields_from_the_first() -> None:
    assert email_parameters(["a@x", "b@x", "a@x"], {}) == addresses("a@x", "b@x")


def test_an_address_stays_in_its_field_when_the_one_before_it_goes() -> None:
    before = addresses("a@x", "b@x", "c@x")
    assert email_parameters(["b@x", "c@x"], before) == addresses("", "b@x", "c@x")
    assert email_parameters(["c@x", "d@x"], before) == addresses("d@x", "", "c@x")
    assert email_parameters(["c@x", "b@x", "a@x"], before) == before


def test_more_addresses_than_fields_are_refused() -> None:
    with pytest.raises(TooManyAddresses, match="5 e-mail addresses, and 6 were given"):
        email_parameters([f"{name}@x" for name in "abcdef"], {})
