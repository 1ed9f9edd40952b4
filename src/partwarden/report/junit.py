"""For build servers: JUnit's XML, each database a test suite, each finding a failure."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from partwarden.findings import Finding, Report
from partwarden.report.summary import cause_of, name_of, since_when, worst_first
from partwarden.report.text import in_one_line, visible, visible_lines


def render(reports: Sequence[Report]) -> str:
    """An XML document; characters that XML forbids are escaped as in the other formats."""
    root = ElementTree.Element("testsuites", name="partwarden")
    root.extend(_suite(report) for report in reports)
    for kind in ("tests", "failures", "errors", "skipped"):
        root.set(kind, str(sum(int(suite.get(kind, "0")) for suite in root)))
    root.set("time", _seconds(sum(report.duration_ms for report in reports)))
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _suite(report: Report) -> ElementTree.Element:
    suite = ElementTree.Element("testsuite", name=visible(name_of(report)))
    if report.error is not None:
        _add(suite, "connection", "error", report.error)
    elif not report.findings:
        _add_case(suite, "nothing wrong found")
    for finding in worst_first(report.findings):
        _add(suite, f"{finding.check} {finding.object}", "failure", finding.summary, finding.severity, _body(finding))
    for skip in report.skipped:
        _add(suite, skip.check, "skipped", skip.reason)
    suite.set("tests", str(len(suite)))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(attribute, str(len(suite.findall(f"testcase/{tag}"))))
    suite.set("time", _seconds(report.duration_ms))
    return suite


def _add(suite: ElementTree.Element, case: str, tag: str, message: str, kind: str = "", body: str = "") -> None:
    outcome = ElementTree.SubElement(_add_case(suite, case), tag, message=in_one_line(message))
    if kind:
        outcome.set("type", kind)
    if body:
        outcome.text = body


def _add_case(suite: ElementTree.Element, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(suite, "testcase", classname=suite.get("name", ""), name=visible(name))


def _body(finding: Finding) -> str:
    since = since_when(finding)
    paragraphs = (cause_of(finding), f"since {since}" if since else "", finding.remedy or "")
    return "\n\n".join("\n".join(visible_lines(text)) for text in paragraphs if text)


def _seconds(duration_ms: int) -> str:
    return f"{duration_ms / 1000:.3f}"
