"""What a run wrote, kept beside it: so that runs can be compared and edits recognised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from fleetdesk.errors import FleetDeskError
from fleetdesk.settings.flatten import Change, changes
from fleetdesk.sheets.base import Link, ResultSheet, Value
from fleetdesk.store.base import RunRecord, RunState, Store
from fleetdesk.workflows.context import store_of
from fleetdesk.workflows.kept_looks import with_looks

PLANNED = "Planned?"


@dataclass(frozen=True)
class RunDifference:
    """What differs between two runs: settings, key figures, and the tasks that came or went."""

    old: RunRecord
    new: RunRecord
    settings: tuple[Change, ...]
    figures: tuple[Change, ...]
    tasks: tuple[Change, ...]

    def as_dict(self) -> Mapping[str, Any]:
        """For the command line."""
        return {
            "old": self.old.run_id,
            "new": self.new.run_id,
            "settings": [asdict(change) for change in self.settings],
            "figures": [asdict(change) for change in self.figures],
            "tasks": [asdict(change) for change in self.tasks],
            "text": self._text(),
        }

    def _text(self) -> str:
        parts = (
            ("Settings", self.settings),
            ("Key figures and profit", self.figures),
            ("Tasks", self.tasks),
        )
        lines = [f"From run {self.old.run_id} to {self.new.run_id}"]
        for title, found in parts:
            lines += ["", f"{title}:" if found else f"{title}: no difference"]
            lines += [f"  {change}" for change in found]
        return "\n".join(lines)


def keep_results(store: Store, run_id: str, sheets: Sequence[ResultSheet]) -> None:
    """Save what the planner will see of a run that is under way, one table per sheet."""
    for sheet in sheets:
        store.save_result(run_id, sheet.sheet, _table(sheet))


def diff_runs(folder: Path, old: str, new: str) -> RunDifference:
    """Compare two finished runs of a workspace; `last` and `previous` name the newest two."""
    with store_of(folder) as store:
        before, after = finished_run(store, old), finished_run(store, new)
        plans = _plan_at(store, before), _plan_at(store, after)
        return RunDifference(
            old=before,
            new=after,
            settings=changes(before.settings_flat, after.settings_flat),
            figures=_differences(*(_figures(store, plan) for plan in plans)),
            tasks=_differences(*(_tasks(store, plan) for plan in plans)),
        )


def _table(sheet: ResultSheet) -> pa.Table:
    columns = {
        column.header: _column([_plain(row[index]) for row in sheet.rows])
        for index, column in enumerate(sheet.columns)
    }
    return with_looks(pa.table(columns), sheet)


def _column(values: list[Any]) -> pa.Array:
    """The values in one type: where numbers and texts stand below each other, all as texts."""
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([None if value is None else str(value) for value in values])


def _plain(value: Value) -> Any:
    return value.text if isinstance(value, Link) else value


def finished_run(store: Store, name: str) -> RunRecord:
    """The finished run of this id; `last` and `previous` name the newest two."""
    finished = [run for run in store.runs.list() if run.state is RunState.FINISHED]
    by_place = {"last": -1, "previous": -2}
    if name in by_place and len(finished) >= -by_place[name]:
        return finished[by_place[name]]
    for run in finished:
        if run.run_id == name:
            return run
    raise FleetDeskError(
        f"There is no finished run {name}",
        found=", ".join(run.run_id for run in finished[-10:]) or "no finished run",
        fix="Name a run from the Run log, or last, or previous",
    )


def planned(run: RunRecord) -> bool:
    """Whether this run planned a day."""
    return "tasks_planned" in run.summary


def last_plan(store: Store) -> RunRecord | None:
    """The latest finished run that planned a day."""
    runs = [r for r in store.runs.list() if r.state is RunState.FINISHED and planned(r)]
    return runs[-1] if runs else None


def _plan_at(store: Store, run: RunRecord) -> RunRecord | None:
    """The plan that stood when this run had ended: one that only mails leaves it as it was."""
    finished = [r for r in store.runs.list() if r.state is RunState.FINISHED]
    until = finished[: finished.index(run) + 1]
    return next((r for r in reversed(until) if planned(r)), None)


def _figures(store: Store, run: RunRecord | None) -> dict[str, float | str]:
    if run is None:
        return {}
    rows = store.result(run.run_id, "KPIs").to_pylist()
    figures = {f"{row['Group']}: {row['KPI']} ({row['Unit']})": row["Value"] for row in rows}
    figures[f"Plan: Profit ({run.summary['currency']})"] = run.summary["profit"]
    figures["Plan: Tasks found"] = run.summary["tasks_found"]
    figures["Plan: Tasks planned"] = run.summary["tasks_planned"]
    return {
        name: round(value, 4) if isinstance(value, float) else value
        for name, value in figures.items()
        if value is not None
    }


def _tasks(store: Store, run: RunRecord | None) -> dict[str, float | str]:
    if run is None:
        return {}
    rows = store.result(run.run_id, "Tasks").to_pylist()
    return {row["Task"]: "not planned" if row[PLANNED] == "no" else row[PLANNED] for row in rows}


def _differences(
    old: Mapping[str, float | str], new: Mapping[str, float | str]
) -> tuple[Change, ...]:
    names = [*new, *(name for name in old if name not in new)]
    return tuple(
        Change(name, old.get(name), new.get(name))
        for name in names
        if old.get(name) != new.get(name)
    )
