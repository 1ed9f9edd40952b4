"""The tools that others hold against a template have nothing to say to the trial's, but what it justifies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.aws.test_template_tools import program

TEMPLATE = Path(__file__).parents[2] / "src" / "partwarden" / "aws" / "trial.yaml"


def test_cfn_lint_has_nothing_to_say() -> None:
    lint = Path(sys.executable).with_name("cfn-lint")
    answer = subprocess.run(
        [lint, "--non-zero-exit-code", "informational", TEMPLATE], capture_output=True, text=True, timeout=120
    )
    assert (answer.returncode, answer.stdout) == (0, ""), answer.stdout + answer.stderr


def test_checkov_has_nothing_to_say_but_what_the_template_justifies() -> None:
    answer = subprocess.run(
        [program(".venv-checkov/bin/checkov", "checkov"), "--file", TEMPLATE,
         "--framework", "cloudformation", "--skip-download", "--output", "json"],
        capture_output=True, text=True, timeout=200, env={**os.environ, "LOG_LEVEL": "ERROR"},
    )  # fmt: skip
    found = json.loads(answer.stdout)
    assert [(each["check_id"], each["resource"]) for each in found["results"]["failed_checks"]] == []
    assert found["summary"]["passed"] > 20
    skipped = [each["check_id"] for each in found["results"]["skipped_checks"]]
    assert sorted(skipped) == ["CKV_AWS_111", "CKV_AWS_118", "CKV_AWS_158"]
