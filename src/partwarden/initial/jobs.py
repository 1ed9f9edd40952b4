"""Jobs of pg_cron and partwarden's settings, as the sections that stand for them; what they can't say as comments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from partwarden.config.models import Maintenance, Monitor, Thresholds
from partwarden.config.reading import understood
from partwarden.initial.entries import in_words
from partwarden.initial.found import Found, Silence
from partwarden.initial.layout import Value, comment, commented, inline, section
from partwarden.schedule import DEFAULT_MAINTENANCE, MAINTENANCE, SILENT_MONITOR, ScheduledJob

_CALL = re.compile(r"call partwarden\.monitor\(('(?:[^']|'')*'), ('(?:[^']|'')*')\)")
_WHOLE = frozenset({"repair_rows", "headroom", "run_log_rows"})
_TRUTH = frozenset({"heartbeat", "require_default", "count_rows"})


def jobs_and_settings(found: Found) -> Iterator[str]:
    """The lines of one database from ``maintenance`` to ``silences``."""
    settings = found.installed.settings
    jobs = {job.kind: job for job in found.jobs.ours}
    if found.jobs.problem is not None:
        yield from comment(f"pg_cron's jobs could not be looked at: {found.jobs.problem}", 4)
    if found.jobs.by_agent:
        yield from section({"scheduler": "agent"}, 4)
    yield from _partmans_jobs(found)
    yield from _job("maintenance", jobs.get("maintain"), _said(Maintenance, settings), {})
    monitor = jobs.get("monitor")
    yield from _job("monitor", monitor, _said(Monitor, settings), _told_by(monitor, settings.get("delivered_by")))
    thresholds = _said(Thresholds, settings)
    if thresholds:
        yield from section({"thresholds": thresholds}, 4)
    if found.installed.silences:
        yield "    silences:"
        for silence in found.installed.silences:
            yield f"      - {inline(_silence(silence))}"


def _partmans_jobs(found: Found) -> Iterator[str]:
    for job in found.jobs.partmans:
        name = f" {job.name}" if job.name else ""
        off = "" if job.active else ", switched off"
        yield from comment(
            f"Job {job.id}{name} of pg_cron's has pg_partman maintain this database ({job.schedule}{off}): {job.command}",
            4,
        )
        yield from comment(
            "`maintenance` takes its place: it has the sets maintained one by one, and verifies it. When it is there: "
            f"select cron.unschedule({job.id});",
            4,
        )
        if not any(each.kind == "maintain" for each in found.jobs.ours):
            schedule = job.schedule if _is_valid("maintenance", {"schedule": job.schedule}) else DEFAULT_MAINTENANCE
            yield from commented(section({"maintenance": {"schedule": schedule}}, 4), 4)


def _job(
    key: str, job: ScheduledJob | None, said: Mapping[str, Value], told_by: Mapping[str, Value] | None
) -> Iterator[str]:
    """A section for a job that is there as the file would have it; else a comment, so that nothing is changed by it."""
    if job is None:
        if said:
            yield from comment(f"There is no such job, and in partwarden.setting there is {inline(said)}:", 4)
            yield from commented(section({key: said}, 4), 4)
        return
    values = {"schedule": job.schedule, **(told_by or {}), **said}
    if not job.active:
        yield from comment(f"Job {job.name} is switched off; with this section it would be switched on:", 4)
    elif told_by is None or (key == "maintenance" and job.command != MAINTENANCE):
        yield from comment(f"Job {job.name} runs something else, which this section would change: {job.command}", 4)
    elif not _is_valid(key, values):
        yield from comment(f"Job {job.name} has a schedule that the file does not take:", 4)
    else:
        yield from section({key: values}, 4)
        return
    yield from commented(section({key: values}, 4), 4)


def _told_by(job: ScheduledJob | None, delivered_by: str | None) -> Mapping[str, Value] | None:
    """How the monitor tells; None where its command is not one that we would write. Without a word it is aws_lambda."""
    if job is None:
        return {}
    if job.command == SILENT_MONITOR:
        return {"channel": delivered_by or "none"}
    found = _CALL.fullmatch(job.command)
    if found is None or delivered_by == "agent":
        return None
    function, topic = (literal[1:-1].replace("''", "'") for literal in found.groups())
    return {**({"channel": delivered_by} if delivered_by else {}), "lambda_arn": function, "topic_arn": topic}


def _said(model: type[Maintenance] | type[Monitor] | type[Thresholds], settings: Mapping[str, str]) -> dict[str, Value]:
    return {key: _value(key, settings[key]) for key in model.model_fields if key in settings}


def _value(key: str, text: str) -> Value:
    if key in _TRUTH:
        return text == "true"
    return int(text) if key in _WHOLE else in_words(text)


def _silence(silence: Silence) -> dict[str, Value]:
    until = silence.until.removesuffix(" 00:00:00+00:00")
    values: dict[str, Value] = {"check": silence.check, "object": silence.object, "until": until}
    return {**values, "note": silence.note} if silence.note else values


def _is_valid(key: str, values: Mapping[str, Value]) -> bool:
    text = "\n".join(["databases:", "  - name: a", "    dsn: env:A", *section({key: values}, 4)])
    return not understood(text.encode(), "")[1]
