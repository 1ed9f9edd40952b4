"""The tools that others hold against our templates have nothing to say, and the SAM CLI deploys the alert stack's, as in the
article.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from partwarden.aws import stacks
from partwarden.aws.account import Account
from partwarden.aws.template import body
from tests.aws.alert_stack import ADDRESS, Network
from tests.servers import required_majors

ROOT = Path(__file__).parent.parent.parent
TEMPLATE = ROOT / "src" / "partwarden" / "aws" / "template.yaml"
TEMPLATES = sorted(TEMPLATE.parent.glob("*.yaml"))

SAMS_OWN_STACK = json.dumps(
    {
        "Resources": {"SamCliSourceBucket": {"Type": "AWS::S3::Bucket"}},
        "Outputs": {"SourceBucket": {"Value": {"Ref": "SamCliSourceBucket"}}},
    }
)


def program(name: str, package: str) -> Path:
    """A program that has a virtual environment of its own; where it is missing, the test is skipped, or fails in CI."""
    found = ROOT / name
    if not found.exists():
        reason = f"{package} is not here (scripts/setup.sh test)"
        if required_majors():
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def test_cfn_lint_has_nothing_to_say() -> None:
    lint = Path(sys.executable).with_name("cfn-lint")
    answer = subprocess.run(
        [lint, "--non-zero-exit-code", "informational", *TEMPLATES], capture_output=True, text=True, timeout=120
    )
    assert (answer.returncode, answer.stdout) == (0, ""), answer.stdout + answer.stderr


def test_checkov_has_nothing_to_say_but_what_the_templates_justify() -> None:
    checkov = program(".venv-checkov/bin/checkov", "checkov")
    files = [argument for template in TEMPLATES for argument in ("--file", template)]
    answer = subprocess.run(
        [checkov, *files, "--framework", "cloudformation", "--skip-download", "--output", "json"],
        capture_output=True,
        text=True,
        timeout=200,
        env={**os.environ, "LOG_LEVEL": "ERROR", "CKV_SKIP_PACKAGE_UPDATE_CHECK": "true"},
    )
    found = json.loads(answer.stdout)
    results = found["results"]
    assert [(each["file_path"], each["check_id"], each["resource"]) for each in results["failed_checks"]] == []
    looked_at = {Path(each["file_path"]).name for each in results["passed_checks"]}
    assert looked_at == {template.name for template in TEMPLATES}
    assert found["summary"]["passed"] > 60
    for each in results["skipped_checks"]:
        assert len(each["check_result"]["suppress_comment"]) > 40, (each["file_path"], each["check_id"])


def test_sam_deploy_guided_makes_the_stack(ministack_account: Account, tmp_path: Path) -> None:
    """As the article has it, with an answer to each question; a parameter that nothing is said to has its default."""
    sam = program(".venv-sam/bin/sam", "the SAM CLI")
    # SAM makes a bucket once for each account, by a template with a transform that this emulator does not know.
    ministack_account.client("cloudformation").create_stack(
        StackName="aws-sam-cli-managed-default",
        TemplateBody=SAMS_OWN_STACK,
        Tags=[{"Key": "ManagedStackSource", "Value": "AwsSamCli"}],
    )
    network = Network.made_in(ministack_account)
    given = {"NotificationEmail": ADDRESS, "VpcId": network.vpc, "SubnetIds": ",".join(network.subnets)}
    parameters = ministack_account.client("cloudformation").get_template_summary(TemplateBody=body())["Parameters"]
    answers = ["by-sam", "us-east-1", *(given.get(each["ParameterKey"], "") for each in parameters)]
    # It has looked for a newer version of itself just now, so that it does not.
    (tmp_path / "metadata.json").write_text(json.dumps({"lastVersionCheck": time.time()}))
    own = {
        "HOME": str(tmp_path),
        "__SAM_CLI_APP_DIR": str(tmp_path),
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_POLL_DELAY": "0.2",
    }
    answers += ["n", "y", "n", "n"]  # confirm changes, let it make roles, no rollback, save the answers
    answer = subprocess.run(
        [sam, "deploy", "--guided", "--template-file", TEMPLATE],
        input="\n".join(answers) + "\n",
        cwd=tmp_path,
        env={**os.environ, **own},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    stack = stacks.find(ministack_account, "by-sam")
    assert stack is not None
    assert stack.status == "CREATE_COMPLETE"
    assert stack.output("FunctionArn").endswith(":function:by-sam-alert")
    assert stack.parameters["NotificationEmail"] == ADDRESS
    assert stack.parameters["HeartbeatMinutes"] == "10"
    reply = ministack_account.client("lambda").invoke(
        FunctionName=stack.output("FunctionArn"),
        Payload=json.dumps({"heartbeat": {"cluster": "c", "database": "d", "at": "now"}}),
    )
    assert json.loads(reply["Payload"].read()) == {"heartbeat": "noted"}
