#!/usr/bin/env bash
# Build the wheel, install it into an empty environment, and run the command from there: are the SQL files, the
# Lambda functions, the templates and the demo's tables inside?
set -euo pipefail
cd "$(dirname "$0")/.."

rm -rf dist
.venv/bin/python -m build --wheel --outdir dist . >/dev/null
room="$(mktemp -d)"
trap 'rm -rf "$room"' EXIT
.venv/bin/python -m venv "$room/venv"
"$room/venv/bin/python" -m pip install --quiet dist/partwarden-*.whl
cd "$room"
"$room/venv/bin/partwarden" --version
"$room/venv/bin/partwarden" --help >/dev/null
"$room/venv/bin/partwarden" aws --help >/dev/null
"$room/venv/bin/python" - <<'PYTHON'
from importlib.resources import files

from partwarden import bundle

assert bundle.migrations(), "no migrations in the wheel"
assert len(bundle.checks()) >= 5, "checks are missing in the wheel"
assert "partwarden.maintain" in bundle.code(), "routines are missing in the wheel"
assert "send_cron_job_failures" in bundle.article_doors("public"), "doors are missing in the wheel"
for name in ("aws/alert_function.py", "aws/template.yaml", "aws/trial.yaml", "aws/fleet.yaml", "demo/tables.sql", "local/aws_lambda.sql", "metrics/alerts.yaml", "metrics/dashboard.json", "py.typed"):
    assert files("partwarden").joinpath(name).is_file(), f"{name} is missing in the wheel"
print("the wheel is whole")
PYTHON
