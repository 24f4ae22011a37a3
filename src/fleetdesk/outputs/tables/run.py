"""The sheets about the run itself: KPIs, Issues and the Run log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from fleetdesk.errors import Problem, Severity
from fleetdesk.outputs.wording import local
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import CellStyle, Link, ResultColumn, ResultSheet, Value


class KpiRow(Protocol):
    """What the sheet shows of one key figure."""

    @property
    def group(self) -> str:
        """What it is about."""

    @property
    def name(self) -> str:
        """The figure's name."""

    @property
    def value(self) -> float | None:
        """The figure; None when it cannot be computed."""

    @property
    def unit(self) -> str:
        """Its unit, with the currency's code for money."""

    @property
    def formula(self) -> str:
        """How it is computed, in words."""

    @property
    def window(self) -> str:
        """From which time it is taken."""


@dataclass(frozen=True, slots=True)
class RunLogRow:
    """One run: UTC-aware times, money in city currency, `changes` as `Weights: Roi: 0.3 -> 0.5`.

    `map_path` is where its map is, seen from the workbook; "" when it has none.
    """

    run: str
    started_at: datetime
    finished_at: datetime | None
    by: str
    result: str
    data_from: datetime | None
    data_to: datetime | None
    tasks_found: int | None
    tasks_planned: int | None
    profit: float | None
    changes: tuple[str, ...]
    seed: int
    version: str
    map_path: str = ""


def kpis_sheet(kpis: Sequence[KpiRow]) -> ResultSheet:
    """One row per key figure, in the order given."""
    return ResultSheet(
        sheet="KPIs",
        title="Key figures",
        note="Each figure with its formula and the time it is taken from.",
        table_name="Kpis",
        columns=(
            ResultColumn("Group", CellStyle.TEXT, 16),
            ResultColumn("KPI", CellStyle.TEXT, 34),
            ResultColumn("Value", CellStyle.NUMBER, 13, "Empty = cannot be computed."),
            ResultColumn("Unit", CellStyle.TEXT, 14),
            ResultColumn("Formula", CellStyle.WRAPPED, 56),
            ResultColumn("Window", CellStyle.TEXT, 38),
        ),
        rows=[(k.group, k.name, k.value, k.unit, k.formula, k.window) for k in kpis],
        key="KPI",
    )


def issues_sheet(problems: Sequence[Problem]) -> ResultSheet:
    """One row per problem, errors first; a problem in a cell links to it."""
    severities = list(Severity)
    ordered = sorted(problems, key=lambda problem: severities.index(problem.severity))
    count = len(ordered)
    return ResultSheet(
        sheet="Issues",
        title="Issues",
        note=(
            f"{count} thing{'s' if count != 1 else ''} to look at; the address leads to the cell."
            if ordered
            else "Nothing to mend."
        ),
        table_name="Issues",
        columns=(
            ResultColumn("Severity", CellStyle.TEXT, 11, "An error stops a run."),
            ResultColumn("Where", CellStyle.LINK, 26),
            ResultColumn("Issue", CellStyle.WRAPPED, 80),
            ResultColumn("Fix", CellStyle.WRAPPED, 48),
        ),
        rows=[(p.severity.value, _address(p), p.what, p.fix) for p in ordered],
    )


def run_log_sheet(rows: Sequence[RunLogRow], settings: Settings) -> ResultSheet:
    """One row per run in the order given, oldest first; the sheet Start reads the last one."""
    return ResultSheet(
        sheet="Run log",
        title="Run log",
        note=(
            f"Every run, oldest first. Profit in {settings.city.currency} after travel and "
            f"labour; times are local ({settings.city.timezone})."
        ),
        table_name="RunLog",
        columns=(
            ResultColumn("Run", CellStyle.TEXT, 18),
            ResultColumn("Started", CellStyle.DATETIME, 17),
            ResultColumn("Finished", CellStyle.DATETIME, 17),
            ResultColumn("By", CellStyle.TEXT, 14),
            ResultColumn("Result", CellStyle.TEXT, 16),
            ResultColumn("Data from", CellStyle.DATETIME, 17),
            ResultColumn("Data to", CellStyle.DATETIME, 17),
            ResultColumn("Tasks found", CellStyle.INTEGER, 9),
            ResultColumn("Tasks planned", CellStyle.INTEGER, 9),
            ResultColumn("Profit", CellStyle.MONEY, 12),
            ResultColumn("What changed", CellStyle.WRAPPED, 60, "Settings, old -> new."),
            ResultColumn("Seed", CellStyle.INTEGER, 9),
            ResultColumn("Version", CellStyle.TEXT, 10),
            ResultColumn("Map", CellStyle.LINK, 10),
        ),
        rows=[_run(row, settings) for row in rows],
        key="Run",
    )


def _run(row: RunLogRow, settings: Settings) -> tuple[Value, ...]:
    return (
        row.run,
        local(row.started_at, settings),
        local(row.finished_at, settings),
        row.by,
        row.result,
        local(row.data_from, settings),
        local(row.data_to, settings),
        row.tasks_found,
        row.tasks_planned,
        row.profit,
        "\n".join(row.changes),
        row.seed,
        row.version,
        Link(row.map_path, "open map") if row.map_path else None,
    )


def _address(problem: Problem) -> Value:
    """A link when the problem is in a cell; a whole sheet may be missing, so it is only named."""
    if not (problem.sheet and problem.cell):
        return problem.address
    sheet = problem.sheet.replace("'", "''")
    return Link(f"#'{sheet}'!{problem.cell}", problem.address)
