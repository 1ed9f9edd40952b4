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
wheel="$(echo dist/partwarden-*.whl)"
"$room/venv/bin/python" -m pip install --quiet "$wheel[web]"
cd "$room"
"$room/venv/bin/partwarden" --version
"$room/venv/bin/partwarden" --help >/dev/null
"$room/venv/bin/partwarden" aws --help >/dev/null
"$room/venv/bin/python" - <<'PYTHON'
import subprocess
import sys
from importlib.resources import files
from urllib.request import urlopen

from partwarden import bundle

assert bundle.migrations(), "no migrations in the wheel"
assert len(bundle.checks()) >= 5, "checks are missing in the wheel"
assert "partwarden.maintain" in bundle.code(), "routines are missing in the wheel"
assert "send_cron_job_failures" in bundle.article_doors("public"), "doors are missing in the wheel"
for name in ("aws/alert_function.py", "aws/template.yaml", "aws/trial.yaml", "aws/fleet.yaml", "demo/tables.sql", "local/aws_lambda.sql", "metrics/alerts.yaml", "metrics/dashboard.json", "py.typed"):
    assert files("partwarden").joinpath(name).is_file(), f"{name} is missing in the wheel"

page = subprocess.Popen(
    [f"{sys.prefix}/bin/partwarden", "serve", "--port", "0", "host=127.0.0.1 port=1", "host=127.0.0.1 port=2"],
    stderr=subprocess.PIPE, text=True,
)
try:
    address = page.stderr.readline().split()[0]
    for path in ("", "incidents", "metrics", "static/style.css", "static/vendor/htmx.min.js", "static/vendor/hx-sse.min.js"):
        assert urlopen(address + path).status == 200, f"the page has no {path} in the wheel"
finally:
    page.terminate()
    page.wait()
print("the wheel is whole")
PYTHON
