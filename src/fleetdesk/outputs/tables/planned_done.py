"""The sheet Planned and done: what plans and sheets say beside what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import CellStyle, ResultColumn, ResultSheet


@dataclass(frozen=True, slots=True)
class DoneRow:
    """One figure: over how many tasks, what the sheet or the plan says, what was measured."""

    what: str
    tasks: int
    foreseen: float | None
    measured: float | None
    unit: str
    suggestion: str = ""


def planned_done_sheet(rows: Sequence[DoneRow], settings: Settings) -> ResultSheet:
    """One row per figure; suggestions are never carried out by themselves."""
    return ResultSheet(
        sheet="Planned and done",
        title=f"Planned and done: {settings.city.name}",
        note=(
            "Earlier runs' tasks beside what crews did within a day, and the sheet's minutes and "
            "costs beside the crews' own records. Nothing is changed by itself."
        ),
        table_name="PlannedAndDone",
        columns=(
            ResultColumn("What", CellStyle.TEXT, 44),
            ResultColumn("Tasks", CellStyle.INTEGER, 9),
            ResultColumn("Foreseen", CellStyle.DECIMAL, 11, "By the plan or the sheet."),
            ResultColumn("Measured", CellStyle.DECIMAL, 11),
            ResultColumn("Unit", CellStyle.TEXT, 9),
            ResultColumn("Suggestion", CellStyle.WRAPPED, 50),
        ),
        rows=[
            (row.what, row.tasks, row.foreseen, row.measured, row.unit, row.suggestion)
            for row in rows
        ],
        key="What",
    )
