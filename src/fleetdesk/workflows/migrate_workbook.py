"""A workbook of an older version: what it lacks is added below its tables, or told to the planner.

The settings' rows are part of the run's one write, so they come with its backup, go with its undo,
and a run that fails adds nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from fleetdesk.errors import Problem
from fleetdesk.model.sheet_template import SheetTemplate
from fleetdesk.settings.fields import SECTIONS, TABLES
from fleetdesk.settings.reading import NewSettings, Reading
from fleetdesk.settings.schema import FORMS, SCHEMA_VERSION, SHEET_ORDER
from fleetdesk.settings.template import templates_for
from fleetdesk.sheets.base import Workbook


@dataclass(frozen=True)
class Migration:
    """The rows to add, the version that the workbook has then, and all warnings of its reading.

    Where something could not be added, the version stays below, so that it is tried again.
    """

    additions: tuple[SheetTemplate, ...]
    settings_schema: int
    warnings: tuple[Problem, ...]

    @property
    def added(self) -> tuple[str, ...]:
        """`Thresholds: ROI estimated by`, for every setting that is added."""
        return tuple(
            f"{sheet.sheet}: {entry.label}" for sheet in self.additions for entry in sheet.inputs
        )


def plan_migration(workbook: Workbook, reading: Reading, *, writing: bool) -> Migration:
    """What a run adds to the workbook that was read so; nothing is written here.

    `writing` says whether that run is the one under way, for the words of the notes.
    """
    wanted = _rows(reading)
    obstacles = workbook.obstacles(tuple(wanted.values())) if wanted else {}
    additions = tuple(sheet for table, sheet in wanted.items() if table not in obstacles)
    told = {
        new.note: replace(new.note, fix=_fix(new, obstacles.get(TABLES[new.section]), writing))
        for new in reading.new
        if new.inputs
    }
    left = [new for new in reading.new if TABLES[new.section] in obstacles or not new.inputs]
    newer = [entry.since for new in left for entry in new.inputs]
    newer += [SECTIONS[new.section].since for new in left if not new.inputs]
    return Migration(
        additions=additions,
        settings_schema=min([*newer, SCHEMA_VERSION + 1]) - 1,
        warnings=tuple(told.get(warning, warning) for warning in reading.warnings),
    )


def _rows(reading: Reading) -> dict[str, SheetTemplate]:
    """The missing settings with the values they have now, by table, in the order of the sheets."""
    missing = {new.section: {entry.key for entry in new.inputs} for new in reading.new}
    sheets = zip(SHEET_ORDER, templates_for(reading.settings).sheets, strict=True)
    return {
        sheet.table: sheet.only(missing[section])
        for section, sheet in sheets
        if missing.get(section)
    }


def _fix(new: NewSettings, obstacle: str | None, writing: bool) -> str:
    line = "row" if new.section in FORMS else "column"
    if obstacle is not None:
        return f"Not added because {obstacle}; to change one, add its {line} to the table"
    if writing:
        return "Added below the table; the workbook as it was is in the folder backups"
    return "A run adds that below the table and keeps the workbook as it was in the folder backups"
