"""Whatever is wrong with the file is said at its place, all at once, and without a secret."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from partwarden.cli import main
from partwarden.config import BadFile, read_config
from partwarden.config.document import read_document
from partwarden.errors import BadConfig

DATABASE = "databases:\n- name: app\n  dsn: service=app\n"
SET = f"{DATABASE}  partition_sets:\n  - table: app.t\n    control: at\n    interval: 1 day\n"


def problems_of(tmp_path: Path, text: str | bytes) -> list[str]:
    """What is wrong, without the folder."""
    file = tmp_path / "f.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(BadFile) as refused:
        read_config(file)
    assert refused.value.remedy
    return [str(each).replace(f"{tmp_path}/", "").replace(str(tmp_path), ".") for each in refused.value.problems]


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("premke: 7", "f.yaml:8:5: …premke: there is no such key; did you mean premake?"),
        (
            "p_premake: 7",
            "f.yaml:8:5: …p_premake: there is no such key; what pg_partman calls p_premake is here premake",
        ),
        ("infinite_time_partitions: true", "…is here infinite"),
        ("retention_keep_table: false", "…is here retention: {then: detach}, or drop"),
        ("retention_schema: old", "…is here retention: {then: move to SCHEMA}"),
        ("upsert: on conflict do nothing", "…this is for sets that pg_partman 4 partitions with triggers…"),
        ("retention: {move_to: old, keep: 1 day}", "f.yaml:8:26: …retention.move_to: …write then: move to SCHEMA"),
        ("retention: {then: drop}", "f.yaml:8:23: …retention.then: …nothing says how long they are: keep"),
        (
            "retention: {keep: 1 day, then: detch}",
            "f.yaml:8:36: …this is one of detach, drop, move; did you mean detach?",
        ),
        ("retention: {keep: 1 day, then: move to}", "…where to? Write then: move to SCHEMA"),
        ("retention: {keep: 30}", "f.yaml:8:23: …retention.keep: for this set it is a length of time…"),
        ("retention: 30 days", "f.yaml:8:16: …retention: keys belong here, each with a value"),
        ("retention: {cascade: maybe}", "f.yaml:8:26: …retention.cascade: write true or false"),
        ("premake: '7'", "f.yaml:8:14: …premake: this is text: write 7, without quotes"),
        ("premake: many", "f.yaml:8:14: …premake: this is not a whole number"),
        ("premake: 0", "…premake: this is too small: 1 is the least"),
        ("premake: 99999999999999999999999", "…premake: this is too big: 2147483647 is the most"),
        ("premake: [7]", "…premake: a whole number belongs here"),
        ("premake:", "f.yaml:8:5: …premake: there is no value: write one, or leave the key out"),
        ("infinite: 'yes'", "…infinite: write true or false, without quotes"),
        ("control: b", "f.yaml:8:5: …control: this key is there already, in line 6"),
        ("epoch: hours", "…epoch: this is one of none, seconds, milliseconds, microseconds, nanoseconds"),
        ("automatic: perhaps", "…automatic: this is one of on, off"),
        ("offset: 5", "f.yaml:8:13: …offset: this is for ids…"),
        ("start: 12", "f.yaml:8:12: …start: the interval is a length of time…"),
        ("start: 2022-02-30", "f.yaml:8:12: …start: this is no date that exists…"),
        ("time_encoder: a.b", "…time_encoder: it takes time_decoder, too"),
        ("time_encoder: b", "…time_encoder: name its schema, too: public.b"),
        ("constraint_columns: at", "…constraint_columns: at is the control column…"),
        ("tables: app.*", "f.yaml:8:13: …tables: say table, or tables, not both"),
        ("sub: {control: b, interval: 1 day}", "f.yaml:8:33: …sub.interval: this is not less than 1 day…"),
        ("sub: {control: b, interval: 1 hour, start: 3}", "f.yaml:8:41: …sub.start: …it is said of a partition set"),
        ("sub: {interval: 1 hour}", "f.yaml:8:10: …sub.control: this key has to be there"),
        (
            "sub: {control: b, interval: 1 hour, sub: {control: b, interval: 2 hours}}",
            "f.yaml:8:69: …sub.sub.interval: …",
        ),
    ],
)
def test_what_is_wrong_with_a_set_is_said_at_its_place(tmp_path: Path, key: str, problem: str) -> None:
    (found,) = problems_of(tmp_path, f"{SET}    {key}\n")
    parts = problem.split("…")
    assert found.startswith(parts[0])
    assert found.endswith(parts[-1])
    assert all(part in found for part in parts)


@pytest.mark.parametrize(
    ("interval", "problem"),
    [
        ("daily", "daily is a word of pg_partman 4: write 1 day"),
        ("1 dya", "this is not an interval as PostgreSQL knows it, like 1 day or 90 minutes"),
        ("-1 day", "an interval is not negative here"),
        ("0 days", "it takes more than nothing"),
        ("100 ms", "pg_partman makes no partitions of less than a second"),
        ("0", "partitions as wide as nothing can't be made"),
        ("1", "a partition for one id is a list: type: list"),
        ("99999999999999999999", "no id is as big as that"),
        ("[1 day]", "a text belongs here"),
        ("10000, epoch: seconds", "the control column counts seconds: this is a length of time, like 1 day"),
    ],
)
def test_an_interval_is_plausible(tmp_path: Path, interval: str, problem: str) -> None:
    text = f"{DATABASE}  partition_sets:\n  - {{table: app.t, control: at, interval: {interval}}}\n"
    (found,) = problems_of(tmp_path, text)
    assert found.endswith(f"interval: {problem}")


def test_nothing_is_divided_by_week(tmp_path: Path) -> None:
    sub = "{control: a, interval: 7 days}"
    text = f"{DATABASE}  partition_sets:\n  - {{table: app.t, control: a, interval: 1 year, sub: {sub}}}\n"
    (found,) = problems_of(tmp_path, text)
    assert found.endswith("weeks don't fit into anything longer: pg_partman divides nothing by week")


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ("table: events", "table: name its schema, too: public.events"),
        ("table: app.*", "table: this names one table: for a pattern, write tables"),
        ("table: [app.t]", "table: this names one table: for several, write tables"),
        ("table: a.b.c", 'table: this is not schema.name; a name with a dot takes quotes, as in public."a.b"'),
        ("table: 'a.\"b.c\"'", "table: pg_partman does not take names with a dot inside"),
        ("table: 'a.b\"c'", 'table: quotes belong around a whole name, and are doubled inside, as in a."b ""c"""'),
        ("tables: []", "tables: there is nothing in this list"),
        ("tables: '*'", "tables: name its schema, too: public.*"),
        (f"table: app.{'x' * 64}", "table: PostgreSQL cuts names to 63 bytes, and this one has 64"),
        ("premake: 3", "tables: this key has to be there"),
    ],
)
def test_a_table_is_a_name_or_a_pattern(tmp_path: Path, table: str, problem: str) -> None:
    text = f"{DATABASE}  partition_sets:\n  - {{{table}, control: at, interval: 1 day}}\n"
    assert problems_of(tmp_path, text)[0].partition("partition_sets[0].")[2].removeprefix("tables[0].") == problem


@pytest.mark.parametrize(
    ("schedule", "problem"),
    [
        ("0 * * * *", None),
        ("59 seconds", None),
        ("*/5 8-18 * jan-mar mon-fri", None),
        ("0 0 $ * *", None),
        ("@hourly", None),
        ("@yearly", "what else it takes it never starts"),
        ("60 seconds", "pg_cron takes 1 to 59 seconds"),
        ("0 * * *", "it has five fields"),
        ("60 * * * *", "the minute of this schedule is from 0 to 59: 60 is not"),
        ("0 0 * * sat-sun", "the day of the week of this schedule runs backwards"),
        ("*/0 * * * *", "a step that is no number"),
    ],
)
def test_a_schedule_looks_like_one_of_pg_crons(tmp_path: Path, schedule: str, problem: str | None) -> None:
    text = f"{DATABASE}  maintenance: {{schedule: '{schedule}'}}\n"
    if problem is None:
        (tmp_path / "f.yaml").write_text(text)
        read_config(tmp_path / "f.yaml")
    else:
        (found,) = problems_of(tmp_path, text)
        assert found.startswith("f.yaml:4:27: databases[0].maintenance.schedule: ")
        assert problem in found


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        (
            "monitor: {channel: none, topic_arn: a}",
            "f.yaml:4:39: databases[0].monitor.topic_arn: nothing is sent with…",
        ),
        ("monitor: {lambda_arn: a}", "f.yaml:4:25: databases[0].monitor.lambda_arn: it takes topic_arn, too"),
        ("monitor: true", "f.yaml:4:12: databases[0].monitor: keys belong here, each with a value"),
        ("maintenance: {lock_wait: 1 minute}", "…lock_wait: this is from 1 millisecond to 10 seconds"),
        ("thresholds: {stuck_after: 30}", "…stuck_after: 30 of what? Write a unit, as in 30 minutes"),
        ("silences: {check: gap}", "f.yaml:4:13: databases[0].silences: a list belongs here…"),
        (
            "silences: [{check: gapp, object: a, until: 2026-12-31}]",
            "f.yaml:4:22: databases[0].silences[0].check: there is no such check; did you mean gap?",
        ),
        ("silences: [{check: gone-*, object: a, until: 2026-12-31}]", "…check: there is no such check"),
        ("silences: [{check: gap, object: a, until: soon}]", "…until: this is no date that exists…"),
        ("extensions: {a.b: }", "f.yaml:4:20: databases[0].extensions.a.b: …takes quotes…"),
        ("dns: x", "f.yaml:4:3: databases[0].dns: there is no such key; did you mean dsn?"),
        ("partition_sets: [, ]", "f.yaml:4:20: …"),
    ],
)
def test_what_is_wrong_with_a_database_is_said_at_its_place(tmp_path: Path, keys: str, problem: str) -> None:
    (found, *_) = problems_of(tmp_path, f"{DATABASE}  {keys}\n")
    parts = problem.split("…")
    assert found.startswith(parts[0])
    assert all(part in found for part in parts)


def test_all_that_is_wrong_is_said_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = (
        "defaults: {premake: many, table: a.b, infinite: true}\n"
        "databases:\n"
        "- name: a\n  thresholds: {headrom: 1}\n  partition_sets:\n"
        "  - {table: app.t, control: at}\n"
        "  - {table: app.t, control: at, interval: 1 dya, default: false}\n"
        "- dsn: 'host=h sslpassword=hunter2'\n"
        "unknown: 1\n"
    )
    found = problems_of(tmp_path, text)
    assert [each.partition(": ")[0] for each in found] == [
        "f.yaml:1:21",
        "f.yaml:1:27",
        "f.yaml:4:16",
        "f.yaml:6:5",
        "f.yaml:7:43",
        "f.yaml:8:3",
        "f.yaml:8:8",
        "f.yaml:9:1",
    ]
    assert "hunter2" not in "".join(found)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "f.yaml: the file is empty"),
        ("- a", "f.yaml:1:1: the file has to begin with a key, as in databases:"),
        ("databases: []", "f.yaml: databases: there is no database in it"),
        ("databases:\n\t- name: a", "f.yaml:2:1: this is not YAML: …spaces, not with tabs"),
        ("databases: [{name: ${X}, dsn: a}]", "f.yaml:1:21: this is not YAML: …takes quotes inside { } and [ ]"),
        ("a: 'b", "f.yaml:1:6: this is not YAML: found unexpected end of stream"),
        ("include: []\n---\nc: d", "f.yaml:3:1: a second document begins here: one file is one document"),
        ("databases: !!python/object/apply:os.system [x]", "f.yaml:1:12: databases: tags, like !!str, are not taken here"),
        ("a: &a [*a]", "f.yaml:1:4: a[0]: this stands within itself"),
        (b"a: \xff", "f.yaml:1:4: this byte is not UTF-8: save the file as UTF-8"),
        ("a: \x00", "f.yaml:1:4: this character does not belong into YAML"),
        ("{[a]: b}", "f.yaml:1:2: a key is a word"),
        ("[\n" * 1500, "f.yaml: it is nested too deep"),
        ("a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
            f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefg", "bcdefgh", strict=True)
        ), "f.yaml:1:…: …the aliases of this file stand for too much"),
    ],
)  # fmt: skip
def test_what_is_no_such_file_is_said_in_words(tmp_path: Path, text: str | bytes, problem: str) -> None:
    found = problems_of(tmp_path, text)[0]
    first, _, last = problem.partition("…")
    assert found.startswith(first)
    assert found.endswith(last.rpartition("…")[2])


def test_a_variable_that_is_missing_has_a_place_and_one_that_does_not_fit_shows_no_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MARK", "hunter2 xyzzy")
    monkeypatch.delenv("ABSENT", raising=False)
    keys = (
        "interval: ${MARK}",
        "premake: ${MARK}",
        "table: ${MARK}",
        "epoch: ${MARK}",
        "start: ${ABSENT}",
        "type: ${open",
    )
    found = problems_of(
        tmp_path, f"{DATABASE}  partition_sets:\n  - control: at\n" + "".join(f"    {key}\n" for key in keys)
    )
    assert len(found) == len(keys)
    assert found[0] == (
        "f.yaml:6:15: databases[0].partition_sets[0].interval: "
        "this is not an interval as PostgreSQL knows it, like 1 day or 90 minutes"
    )
    assert found[2].endswith("table: what ${MARK} stands for does not fit here")
    assert found[4].endswith("start: the environment has no variable ABSENT")
    assert found[5].endswith("type: a variable is written ${NAME} or ${NAME:-instead}, and a dollar $$")
    assert not any(part in line for line in found for part in ("hunter2", "xyzzy"))


def test_files_that_can_not_be_included_are_named(tmp_path: Path) -> None:
    (tmp_path / "round.yaml").write_text("include: f.yaml\n")
    found = problems_of(tmp_path, f"include: [round.yaml, absent.yaml, 'none/*.yaml', '.']\n{DATABASE}")
    assert found == [
        "round.yaml:1:10: include: f.yaml: this goes round in a circle: f.yaml includes round.yaml includes f.yaml",
        "f.yaml:1:23: include: absent.yaml: could not read it: No such file or directory",
        "f.yaml:1:36: include: no file matches this pattern",
        "f.yaml:1:51: include: .: could not read it: Is a directory",
    ]
    with pytest.raises(BadConfig, match=r"absent\.yaml: could not read it: No such file"):
        read_config(tmp_path / "absent.yaml")


def test_what_two_files_say_of_one_database_may_not_contradict(tmp_path: Path) -> None:
    sets = "  partition_sets:\n  - {{table: {0}, control: at, interval: 1 day}}\n"
    other = tmp_path / "other.yaml"
    other.write_text(
        "databases:\n- name: app\n  dsn: service=other\n  thresholds: {headroom: 4}\n" + sets.format("'app.\"t\"'")
    )
    (tmp_path / "third.yaml").write_text("databases:\n- name: nowhere\n  monitor: false\n")
    text = f"{DATABASE}  thresholds: {{headroom: 3}}\n{sets.format('app.t')}include: [other.yaml, third.yaml]\n"
    assert problems_of(tmp_path, text) == [
        "other.yaml:3:3: database app: dsn: f.yaml:3:3 says something else",
        "other.yaml:4:3: database app: thresholds.headroom: f.yaml:4:3 says something else",
        'other.yaml:6:5: table: app."t" is there already, at f.yaml:6:5',
        "third.yaml:2:3: database nowhere: nothing says how to get in: dsn",
    ]


def test_validate_says_what_there_is_or_all_that_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(text: str, *options: str) -> int | str | None:
        (tmp_path / "f.yaml").write_text(text)
        with pytest.raises(SystemExit) as left:
            main(["validate", "-c", str(tmp_path / "f.yaml"), *options])
        return left.value.code

    assert run(SET) == 0
    assert capsys.readouterr().out == "ok: 1 database, 1 set\n"
    assert run(SET, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"ok": True, "databases": [{"name": "app", "sets": 1}]}
    assert run(f"{SET}    premke: 1\n    infinte: true\n") == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count(f"{tmp_path}/f.yaml:") == 2
    assert run(f"{SET}    premke: 1\n", "--json") == 3
    (problem,) = json.loads(capsys.readouterr().out)["problems"]
    assert (problem["line"], problem["column"], problem["key"]) == (8, 5, "databases[0].partition_sets[0].premke")


YAMLISH = st.text(alphabet="abc:-[]{}&*!|>'\"%@`#,?\t\n $0~<=\x85\u2028\ud7ff", max_size=60)


@settings(max_examples=150, deadline=None)
@given(text=YAMLISH)
def test_no_text_is_answered_with_anything_but_what_is_wrong_with_it(text: str) -> None:
    read_document(text.encode(), "f.yaml", {})


@settings(max_examples=100, deadline=None)
@given(value=YAMLISH, key=st.sampled_from(["interval", "table", "premake", "retention", "start", "sub", "control"]))
def test_no_value_is_answered_with_anything_but_what_is_wrong_with_it(
    tmp_path_factory: pytest.TempPathFactory, value: str, key: str
) -> None:
    file = tmp_path_factory.getbasetemp() / "value.yaml"
    described = {"table": "a.b", "control": "c", "interval": "1 day", key: value}
    said = json.dumps({"databases": [{"name": "a", "dsn": "", "partition_sets": [described]}]})
    file.write_text(said, encoding="utf-8")
    with suppress(BadFile):
        read_config(file)
