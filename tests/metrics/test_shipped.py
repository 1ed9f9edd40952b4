"""The alert rules and the dashboard: they use only what is measured, and Prometheus itself takes them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from partwarden import bundle
from partwarden.metrics import Tally, render, shipped
from partwarden.metrics.measure import ROOMS
from tests.commands import partwarden
from tests.metrics.promtool import promtool
from tests.metrics.surveys import APP

HERE = Path(__file__).parent
LABELS_OF = {metric.name: set(room.labels) for room in ROOMS for metric in room.metrics}
NEXT_COMMANDS = ("partwarden check", "partwarden status", "partwarden explain", "systemctl status")

_NAME = re.compile(r"\bpartwarden_\w+")
_MATCHERS = re.compile(r"\b(partwarden_\w+)\{([^}]*)\}")
_QUERY = re.compile(r'printf "((?:[^"\\]|\\.)*)"')
_GROUPED = re.compile(r"\b(?:by|on|without|ignoring) ?\(([^)]*)\)")
_SHOWN = re.compile(r"\{\{(\w+)\}\}")


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(shipped.rules())["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    return [panel for panel in json.loads(shipped.dashboard())["panels"] if panel["type"] != "row"]


def expressions() -> Iterator[tuple[str, str]]:
    """Every expression of PromQL, with where it stands."""
    for rule in rules():
        yield rule["alert"], rule["expr"]
        for text in rule["annotations"].values():
            yield from ((rule["alert"], each.replace('\\"', '"')) for each in _QUERY.findall(text))
    for panel in panels():
        yield from ((panel["title"], target["expr"]) for target in panel["targets"])
    for variable in json.loads(shipped.dashboard())["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["name"], variable["query"]["query"]


def test_rules_and_dashboard_use_only_metrics_and_labels_that_exist() -> None:
    found = list(expressions())
    assert len(found) > 40
    for where, expression in found:
        names = _NAME.findall(expression)
        assert names, where
        assert set(names) <= set(LABELS_OF), where
        for name, matchers in _MATCHERS.findall(expression):
            assert set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers)) <= LABELS_OF[name], (where, name)
        labels = set.intersection(*(LABELS_OF[name] for name in names))
        for grouped in _GROUPED.findall(expression):
            assert {label.strip() for label in grouped.split(",")} <= labels, where


def test_legends_show_labels_that_the_panel_has() -> None:
    for panel in panels():
        for target in panel["targets"]:
            for name in _NAME.findall(target["expr"]):
                assert set(_SHOWN.findall(target.get("legendFormat", ""))) <= LABELS_OF[name], panel["title"]


def test_alerts_show_labels_that_their_series_have() -> None:
    for rule in rules():
        of_it = set.union(set(), *(LABELS_OF[name] for name in _NAME.findall(rule["expr"])))
        assert set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"]))) <= of_it, rule["alert"]


def test_every_alert_says_how_bad_it_is_and_what_to_do_next() -> None:
    for rule in rules():
        assert rule["labels"]["severity"] in ("critical", "warning"), rule["alert"]
        assert rule["for"], rule["alert"]
        assert set(rule["annotations"]) == {"summary", "description"}, rule["alert"]
        description = rule["annotations"]["description"]
        assert "Next:" in description, rule["alert"]
        assert any(command in description.split("Next:")[1] for command in NEXT_COMMANDS), rule["alert"]


def test_the_documentation_lists_every_alert() -> None:
    page = (HERE.parents[1] / "docs" / "metrics.md").read_text()
    assert sorted(re.findall(r"^\| `(Partwarden\w+)` \|", page, re.MULTILINE)) == sorted(
        rule["alert"] for rule in rules()
    )


def test_a_check_with_a_rule_of_its_own_is_one_that_exists() -> None:
    left_out = {
        name
        for rule in rules()
        for listed in re.findall(r'check!~"([^"]*)"', rule["expr"])
        for name in listed.split("|")
    }
    assert left_out <= {check.id for check in bundle.checks()}
    assert {rule["expr"].count("check!~") for rule in rules() if "partwarden_findings" in rule["expr"]} == {1}
    told = {name for rule in rules() for name in re.findall(r"partwarden explain ([a-z-]+)", str(rule["annotations"]))}
    assert told == left_out


def test_prometheus_has_nothing_to_say_about_the_metrics() -> None:
    answer = promtool("check", "metrics", given=measured())
    assert (answer.returncode, answer.stdout + answer.stderr) == (0, "")


def test_prometheus_takes_the_rules(tmp_path: Path) -> None:
    file = tmp_path / "alerts.yaml"
    file.write_text(shipped.rules())
    answer = promtool("check", "rules", "--lint=all", "--lint-fatal", file)
    assert (answer.returncode, f"{len(rules())} rules found" in answer.stdout) == (0, True), (
        answer.stdout + answer.stderr
    )


def test_every_alert_comes_when_it_should_and_not_before() -> None:
    tried = yaml.safe_load((HERE / "alerts.yaml").read_text())["tests"]
    cases = [case for each in tried for case in each["alert_rule_test"]]
    for rule in rules():
        comes = {bool(case.get("exp_alerts")) for case in cases if case["alertname"] == rule["alert"]}
        assert comes == {True, False}, rule["alert"]
    answer = promtool("test", "rules", HERE / "alerts.yaml")
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_every_panel_shows_something_of_a_database_that_has_everything(tmp_path: Path) -> None:
    shown = [re.sub(r"\$(target|set)\b", ".*", target["expr"]) for panel in panels() for target in panel["targets"]]
    tried = {
        "interval": "1m",
        "input_series": [{"series": series, "values": f"{value}+1x120"} for series, value in everything()],
        "promql_expr_test": [
            {"expr": f"count({each}) > bool 0", "eval_time": "100m", "exp_samples": [{"labels": "{}", "value": 1}]}
            for each in shown
        ],
    }
    file = tmp_path / "panels.yaml"
    file.write_text(yaml.safe_dump({"rule_files": [], "tests": [tried]}))
    answer = promtool("test", "rules", file)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def everything() -> Iterator[tuple[str, str]]:
    """Each series of a database that has everything, with its value."""
    for line in measured().splitlines():
        if not line.startswith("#"):
            series, _, value = line.rpartition(" ")
            yield series, value


def measured() -> str:
    """All that is measured of such a database, and of the program."""
    tally = Tally()
    tally.note(APP)
    return render([APP], tally=tally)


def test_the_dashboard_is_one_that_grafana_imports() -> None:
    board = json.loads(shipped.dashboard())
    assert "id" not in board  # else it would replace whatever has that number
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    sources = {json.dumps(each["datasource"]) for panel in panels() for each in (panel, *panel["targets"])}
    assert sources == {json.dumps({"type": "prometheus", "uid": "${datasource}"})}
    assert board["templating"]["list"][0]["type"] == "datasource"
    occupied: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & occupied, panel["title"]
        assert place["x"] + place["w"] <= 24
        occupied |= cells
        assert panel["title"]
        assert panel["type"] == "row" or panel["description"]


@pytest.mark.parametrize(("command", "text"), [("rules", shipped.rules()), ("dashboard", shipped.dashboard())])
def test_the_command_line_prints_them(command: str, text: str) -> None:
    answer = partwarden("metrics", command)
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, text, "")
