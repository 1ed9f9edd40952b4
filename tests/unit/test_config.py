"""What the file says, as the commands have it."""

from __future__ import annotations

from pathlib import Path

import pytest

from partwarden.config import BadFile, Config, PartitionSet, QualifiedName, Retention, read_config
from partwarden.config.lengths import seconds_of
from partwarden.config.names import written
from partwarden.given import DEFAULT_THRESHOLDS

DATABASE = "databases:\n  - name: app\n    dsn: service=app\n"


def config_of(tmp_path: Path, text: str, **others: str) -> Config:
    for name, content in others.items():
        (tmp_path / f"{name}.yaml").write_text(content)
    file = tmp_path / "partwarden.yaml"
    file.write_text(text)
    return read_config(file)


def set_of(tmp_path: Path, keys: str, defaults: str = "{}") -> PartitionSet:
    text = f"{DATABASE}    partition_sets:\n      - {{table: app.events, {keys}}}\ndefaults: {defaults}\n"
    return config_of(tmp_path, text).databases[0].partition_sets[0]


def test_what_is_not_said_is_none(tmp_path: Path) -> None:
    database = config_of(tmp_path, DATABASE).databases[0]
    assert (database.maintenance, database.monitor, database.cluster) == (None, None, None)
    assert (database.partition_sets, database.thresholds, database.extensions) == ((), {}, {})
    described = set_of(tmp_path, "control: created_at, interval: 1 day")
    assert described.model_dump(exclude_none=True) == {
        "tables": ("app.events",),
        "control": "created_at",
        "interval": "1 day",
    }


def test_words_of_yaml_1_1_are_what_a_person_meant_by_them(tmp_path: Path) -> None:
    described = set_of(
        tmp_path,
        "control: on, interval: 1:30, automatic: off, repair: off, premake: 010, start: 2022-04-01, infinite: yes, "
        "default: no, template: no, optimize_constraint: 1_000, constraint_columns: [null_, y]",
    )
    assert (described.control, described.interval, described.automatic, described.repair) == (
        "on",
        "1:30",
        "off",
        "off",
    )
    assert (described.premake, described.start, described.optimize_constraint) == (10, "2022-04-01", 1000)
    assert (described.infinite, described.default, described.template) == (True, False, False)
    assert described.constraint_columns == ("null_", "y")
    assert set_of(tmp_path, "control: id, interval: 010_000, start: -5").interval == "10000"


def test_a_retention_moves_to_a_schema_or_is_none_at_all(tmp_path: Path) -> None:
    moved = set_of(tmp_path, "control: a, interval: 1 day, retention: {keep: 13 months, then: move to Old ones}")
    assert moved.retention == Retention(keep="13 months", then="move", move_to="Old ones")
    assert set_of(tmp_path, "control: a, interval: 1 day, retention: false").retention is False


def test_defaults_hold_for_sets_that_do_not_say_it_and_not_for_sub_partitions(tmp_path: Path) -> None:
    defaults = "{premake: 7, interval: 1 day, retention: {keep: 2 years, then: drop}}"
    described = set_of(
        tmp_path, "control: a, retention: {keep: 1 year}, sub: {control: b, interval: 1 hour, premake: 3}", defaults
    )
    assert (described.premake, described.interval) == (7, "1 day")
    assert described.retention == Retention(keep="1 year", then="drop")
    assert described.sub is not None
    assert (described.sub.premake, described.sub.retention) == (3, None)
    assert set_of(tmp_path, "control: a, premake: 9, retention: false", defaults).premake == 9


def test_sets_by_id_pass_over_defaults_that_are_for_times_and_the_reverse(tmp_path: Path) -> None:
    defaults = "{epoch: seconds, date_trunc_interval: week, offset: 1, premake: 7}"
    by_id = set_of(tmp_path, "control: a, interval: 1000", defaults)
    assert (by_id.epoch, by_id.date_trunc_interval, by_id.offset, by_id.premake) == (None, None, 1, 7)
    by_time = set_of(tmp_path, "control: a, interval: 1 day", defaults)
    assert (by_time.epoch, by_time.date_trunc_interval, by_time.offset) == ("seconds", "week", None)


def test_a_variable_stands_for_what_the_environment_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOST", "db.example.com")
    monkeypatch.setenv("AHEAD", "12")
    monkeypatch.setenv("EMPTY", "")
    text = DATABASE.replace("service=app", "host=${HOST} dbname=${NAME:-app}") + (
        '    cluster: "${EMPTY:-prod} costs $$5 and $5"\n'
        "    partition_sets:\n      - table: app.t\n        control: a\n        interval: 1 day\n"
        '        premake: "${AHEAD}"\n'
    )
    database = config_of(tmp_path, text).databases[0]
    assert database.conninfo == "host=db.example.com dbname=app"
    assert database.cluster == "prod costs $5 and $5"
    assert database.partition_sets[0].premake == 12


def test_names_are_written_as_sql_writes_them_and_never_folded(tmp_path: Path) -> None:
    described = set_of(tmp_path, 'control: Created, interval: 1 day, constraint_columns: [\'"a ""b"".c"\', d e]')
    assert (described.control, described.constraint_columns) == ("Created", ('a "b".c', "d e"))
    weird = QualifiedName("Ünï", 'Weird "Table"')
    assert str(weird) == 'Ünï."Weird ""Table"""'
    text = f'{DATABASE}    partition_sets:\n      - {{table: \'Ünï."Weird ""Table"""\', control: a, interval: 1 day}}\n'
    quoted = config_of(tmp_path, text).databases[0].partition_sets[0]
    assert quoted.matches(weird)
    assert not quoted.is_pattern
    assert not quoted.matches(QualifiedName("Ünï", 'weird "table"'))
    assert [written(name) for name in ("a_1", "1a", "a.b", 'a"', "a*")] == ["a_1", '"1a"', '"a.b"', '"a"""', '"a*"']


def test_a_pattern_means_the_tables_that_match_and_a_star_in_quotes_is_a_star(tmp_path: Path) -> None:
    text = DATABASE + (
        "    partition_sets:\n"
        "      - {tables: 'tenant_*.events', control: id, interval: 10000}\n"
        "      - {tables: [app.a, 'app.\"b*\"'], control: id, interval: 10000}\n"
    )
    tenants, listed = config_of(tmp_path, text).databases[0].partition_sets
    assert tenants.is_pattern
    assert tenants.matches(QualifiedName("tenant_1", "events"))
    assert not tenants.matches(QualifiedName("tenant_1", "events_old"))
    assert not listed.is_pattern
    assert listed.matches(QualifiedName("app", "b*"))
    assert not listed.matches(QualifiedName("app", "bc"))


def test_files_that_are_included_add_their_sets_to_the_same_database(tmp_path: Path) -> None:
    team = (
        "databases:\n  - name: app\n    schemas: [app, {0}]\n    partition_sets:\n"
        "      - {{table: {0}.events, control: at}}\ndefaults: {{interval: {1}}}\n"
    )
    config = config_of(
        tmp_path,
        f"include: '*.yaml'\n{DATABASE}    thresholds: {{headroom: 3}}\n",
        a=team.format("a", "1 day"),
        b=team.format("b", "1 hour") + "include: [a.yaml]\n",
    )
    (database,) = config.databases
    assert database.dsn == "service=app"
    assert database.schemas == ("app", "a", "b")
    assert [(each.tables, each.interval) for each in database.partition_sets] == [
        (("a.events",), "1 day"),
        (("b.events",), "1 hour"),
    ]
    assert database.partition_sets[1].source.file == str(tmp_path / "b.yaml")
    assert read_config(tmp_path / "partwarden.yaml", tmp_path / "a.yaml") == config


def test_every_part_knows_its_place_which_is_neither_compared_nor_dumped(tmp_path: Path) -> None:
    text = DATABASE + "    partition_sets:\n      - table: app.t\n        control: a\n        interval: 1 day\n"
    config = config_of(tmp_path, text)
    (described,) = config.databases[0].partition_sets
    assert str(described.source) == f"{tmp_path / 'partwarden.yaml'}:5:9"
    assert str(described.source_of("interval")) == f"{tmp_path / 'partwarden.yaml'}:7:9"
    assert described == PartitionSet(tables=("app.t",), control="a", interval="1 day")
    assert hash(described) == hash(PartitionSet(tables=("app.t",), control="a", interval="1 day"))
    assert described != PartitionSet(tables=("app.t",), control="b", interval="1 day")
    assert "source" not in config.model_dump_json()
    assert config_of(tmp_path, f"# a line\n{text}") == config


def test_merge_keys_and_aliases_are_followed(tmp_path: Path) -> None:
    text = DATABASE + (
        "    partition_sets:\n"
        "      - &common {table: app.a, control: at, interval: 1 day, premake: 5}\n"
        "      - {<<: *common, table: app.b, premake: 6}\n"
    )
    first, second = config_of(tmp_path, text).databases[0].partition_sets
    assert (first.premake, second.premake, second.control, second.tables) == (5, 6, "at", ("app.b",))


def test_what_is_said_of_nothing_is_not_the_same_as_nothing_said(tmp_path: Path) -> None:
    assert "silences" in config_of(tmp_path, f"{DATABASE}    silences: []\n").databases[0].model_fields_set
    assert config_of(tmp_path, DATABASE).databases[0].model_fields_set == {"name", "dsn"}


def test_all_thresholds_of_the_checks_can_be_said_and_no_other(tmp_path: Path) -> None:
    said = {
        name: "5 minutes" if isinstance(value, str) else "true" if isinstance(value, bool) else "7"
        for name, value in DEFAULT_THRESHOLDS.items()
    }
    listed = ", ".join(f"{name}: {value}" for name, value in said.items())
    assert (
        config_of(tmp_path, f"{DATABASE}    thresholds: {{{listed}}}\n").databases[0].thresholds.keys() == said.keys()
    )
    with pytest.raises(BadFile, match=r"thresholds\.patience"):
        config_of(tmp_path, f"{DATABASE}    thresholds: {{patience: 7}}\n")


@pytest.mark.parametrize(
    ("interval", "seconds"),
    [
        ("1 day", 86400),
        ("90 min", 5400),
        ("1 day 02:30:15", 95415),
        ("@ 2 hours", 7200),
        ("1:30", 5400),
        ("20ms", 0.02),
        ("1.5 weeks", 907200),
        ("P1D", None),
        ("1 fortnight", None),
        ("", None),
    ],
)
def test_an_intervals_length_is_known_where_it_is_simple(interval: str, seconds: float | None) -> None:
    assert seconds_of(interval) == seconds
