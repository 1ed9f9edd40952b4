"""What is wrong with a partition set, and the whole sequence that mends it: recover, drain, fill gaps, maintain, verify."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from partwarden.draining import Drain, Event, Finished, Plan, Step, drain
from partwarden.draining.locks import in_short_tries
from partwarden.draining.plan import make_plan
from partwarden.draining.session import Session, open_session, refusals
from partwarden.errors import PartwardenError, RepairFailed
from partwarden.findings import Finding, Report
from partwarden.health import check_database

MENDED = frozenset(
    {
        "async-interrupted",
        "default-blocks-maintenance",
        "default-not-empty",
        "drain-interrupted",
        "gap",
        "headroom-low",
        "maintenance-stale",
        "undo-in-progress",
    }
)
"""The checks whose findings a repair may end."""


@dataclass(frozen=True)
class Treatment:
    """What is to be done about one set, in this order; ``name`` as SQL writes it."""

    name: str
    findings: tuple[Finding, ...]
    rows_in_storage: int | None = None
    storage: str | None = None
    clear_undo: bool = False
    plan: Plan | None = None
    gaps: int = 0
    maintain: bool = False

    @property
    def goes_on(self) -> bool:
        """Whether a drain was interrupted that has nothing to move any longer, and something to clear away."""
        was_interrupted = any(each.check == "drain-interrupted" for each in self.findings)
        return was_interrupted and self.plan is not None and not self.plan.rows

    @property
    def steps(self) -> tuple[str, ...]:
        """Each step in words for a person."""
        listed = []
        if self.rows_in_storage is not None:
            where = f" from {self.storage}" if self.storage else ""
            listed.append(f"put {self.rows_in_storage:,} rows back{where}: partition_data_async() was interrupted")
        if self.clear_undo:
            listed.append("clear undo_in_progress: undoing the partitioning was begun and not finished")
        if self.goes_on:
            listed.append("go on with the drain that was interrupted")
        if self.plan is not None and self.plan.rows:
            listed.append(
                f"move {self.plan.rows:,} rows out of {self.plan.default.name} into {len(self.plan.intervals):,} new "
                f"partitions, by {self.plan.method}: locked for about {self.plan.lock_ms:,.0f} ms at a time"
            )
        if self.gaps:
            listed.append(f"fill {self.gaps} gaps between its partitions")
        if self.maintain:
            listed.append("have pg_partman maintain it")
        return tuple(listed)


@dataclass(frozen=True)
class Outcome:
    """What was done about one set, and what its checks find afterwards."""

    name: str
    done: tuple[str, ...]
    finished: Finished | None
    left: tuple[Finding, ...]
    problem: PartwardenError | None = None


@dataclass(frozen=True)
class Repair:
    """What a person asked for: one set, or every set that something is wrong with; how long to wait, as for a drain."""

    parent: str | None = None
    lock_timeout: float = 0.01
    window: float = 60
    jobs: int = 2
    tell: Callable[[Event], None] = field(default=lambda _: None)


def diagnose(dsn: str, wish: Repair) -> list[Treatment]:
    """What would be done, set by set; nothing is changed. Sets without anything to do are left out.

    Raises RepairFailed when the database could not be looked at, DrainRefused for a set that is none.
    """
    report = _checked(dsn)
    names = [wish.parent] if wish.parent is not None else _sick(report)
    treatments = [_treat(dsn, name, report, wish) for name in names]
    return [each for each in treatments if each.steps]


def repair(dsn: str, treatments: list[Treatment], wish: Repair) -> list[Outcome]:
    """Do what was diagnosed. A set that can't be repaired costs the others nothing; its error is in its outcome."""
    done = [_carry_out(dsn, each, wish) for each in treatments]
    report = _checked(dsn)
    return [
        Outcome(name, steps, finished, tuple(each for each in report.findings if each.object == name), problem)
        for name, steps, finished, problem in done
    ]


def _checked(dsn: str) -> Report:
    report = check_database(dsn)
    if report.error is not None:
        raise RepairFailed(
            f"could not look what is wrong: {report.error}", remedy="partwarden check with the same -d says more"
        )
    return report


def _sick(report: Report) -> list[str]:
    """The sets that something is wrong with that a repair may end, in the order of the report."""
    return list(dict.fromkeys(each.object for each in report.findings if each.check in MENDED))


def _treat(dsn: str, parent: str, report: Report, wish: Repair) -> Treatment:
    with open_session(dsn, parent) as session, refusals(session.name):
        found = tuple(each for each in report.findings if each.object == session.name)
        state = _state(session)
        plan = make_plan(session, Drain(session.name)) if state.is_managed and _has_default(session) else None
        is_moving = state.moving is not None or state.storage is not None
        return Treatment(
            name=session.name,
            findings=found,
            rows_in_storage=(state.storage_rows or 0) if is_moving else None,
            storage=state.storage,
            clear_undo=state.is_undone,
            plan=plan,
            gaps=state.gaps,
            maintain=state.is_managed and (state.is_maintained or wish.parent is not None),
        )


@dataclass(frozen=True)
class _State:
    """What ``repair_state`` returns."""

    is_managed: bool
    is_maintained: bool
    moving: str | None
    storage: str | None
    storage_rows: int | None
    is_undone: bool
    gaps: int


def _state(session: Session) -> _State:
    row = session.connection.execute(
        "select is_managed, is_maintained, moving, storage::text, storage_rows, is_undone, gaps"
        " from pg_temp.repair_state(%s)",
        (session.parent,),
    ).fetchone()
    assert row is not None
    return _State(*row)


def _has_default(session: Session) -> bool:
    row = session.connection.execute(
        "select partdefid <> 0 from pg_partitioned_table where partrelid = %s", (session.parent,)
    ).fetchone()
    return row == (True,)


Done = tuple[str, tuple[str, ...], Finished | None, PartwardenError | None]


def _carry_out(dsn: str, treatment: Treatment, wish: Repair) -> Done:
    done: list[str] = []
    finished: Finished | None = None
    try:
        wish.tell(Step(f"repairing {treatment.name}"))
        with open_session(dsn, treatment.name) as session, refusals(session.name):
            if treatment.rows_in_storage is not None:
                rows = _in_tries(session, wish, "recover_async")
                done.append(f"put {rows:,} rows back")
            if treatment.clear_undo:
                _in_tries(session, wish, "clear_undo")
                done.append("cleared undo_in_progress")
        has_rows = treatment.plan is not None and (treatment.plan.rows or treatment.rows_in_storage is not None)
        if has_rows or treatment.goes_on:
            asked = Drain(treatment.name, lock_timeout=wish.lock_timeout, window=wish.window, jobs=wish.jobs)
            finished = drain(dsn, asked, wish.tell)
            done.append(f"moved {finished.rows_moved:,} rows into {finished.partitions_made:,} new partitions")
        with open_session(dsn, treatment.name) as session, refusals(session.name):
            if treatment.gaps:
                done.append(f"filled {_in_tries(session, wish, 'fill_gaps')} gaps")
            if treatment.maintain:
                _in_tries(session, wish, "maintain_now")
                done.append("maintained")
    except PartwardenError as problem:
        return treatment.name, tuple(done), finished, problem
    return treatment.name, tuple(done), finished, None


def _in_tries(session: Session, wish: Repair, routine: str) -> int:
    result = in_short_tries(
        session.connection,
        lambda: session.call(routine, session.parent),
        parent=session.parent,
        name=session.name,
        patience=wish,
        tell=wish.tell,
    )
    return int(result) if isinstance(result, int) else 0
