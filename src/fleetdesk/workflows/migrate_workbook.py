"""A workbook of an older version: what it lacks is added below its tables, or told to the planner.

The settings' rows are part of the run's one write, so they come with its backup, go with its undo,
and a run that fails adds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
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
    """The rows and whole sheets to add, the version that the workbook has then, all warnings.

    Where something could not be added, the version stays below, so that it is tried again.
    """

    additions: tuple[SheetTemplate, ...]
    sheets: tuple[SheetTemplate, ...]
    settings_schema: int
    warnings: tuple[Problem, ...]

    @property
    def added(self) -> tuple[str, ...]:
        """`Thresholds: ROI estimated by`, for every setting that is added."""
        return (
            *(f"{sheet.sheet}: {e.label}" for sheet in self.additions for e in sheet.inputs),
            *(f"{sheet.sheet}: the whole sheet" for sheet in self.sheets),
        )


def plan_migration(workbook: Workbook, reading: Reading, *, writing: bool) -> Migration:
    """What a run adds to the workbook that was read so; nothing is written here.

    `writing` says whether that run is the one under way, for the words of the notes.
    """
    rows, sheets = _rows(reading), _sheets(reading)
    obstacles = workbook.obstacles(rows, sheets) if rows or sheets else {}
    told = {
        new.note: replace(new.note, fix=_fix(new, obstacles.get(TABLES[new.section]), writing))
        for new in reading.new
    }
    left = [new for new in reading.new if TABLES[new.section] in obstacles]
    newer = [entry.since for new in left for entry in new.inputs]
    newer += [SECTIONS[new.section].since for new in left if not new.inputs]
    return Migration(
        additions=tuple(sheet for sheet in rows if sheet.table not in obstacles),
        sheets=tuple(sheet for sheet in sheets if sheet.table not in obstacles),
        settings_schema=min([*newer, SCHEMA_VERSION + 1]) - 1,
        warnings=tuple(told.get(warning, warning) for warning in reading.warnings),
    )


def _rows(reading: Reading) -> tuple[SheetTemplate, ...]:
    """The missing settings with the values they have now, in the order of the sheets."""
    missing = {new.section: {entry.key for entry in new.inputs} for new in reading.new}
    return tuple(
        sheet.only(missing[section]) for section, sheet in _drawn(reading) if missing.get(section)
    )


def _sheets(reading: Reading) -> tuple[SheetTemplate, ...]:
    """The settings sheets that the workbook lacks, with their defaults."""
    missing = {new.section for new in reading.new if not new.inputs}
    return tuple(sheet for section, sheet in _drawn(reading) if section in missing)


def _drawn(reading: Reading) -> Iterable[tuple[str, SheetTemplate]]:
    return zip(SHEET_ORDER, templates_for(reading.settings).sheets, strict=True)


def _fix(new: NewSettings, obstacle: str | None, writing: bool) -> str:
    if not new.inputs:
        line, place = "sheet from the template", "behind the other sheets"
    else:
        line = "row to the table" if new.section in FORMS else "column to the table"
        place = "below the table" if new.section in FORMS else "at the right of the table"
    if obstacle is not None:
        return f"Not added because {obstacle}; to change one, add its {line}"
    if writing:
        return f"Added {place}; the workbook as it was is in the folder backups"
    return f"A run adds that {place} and keeps the workbook as it was in the folder backups"
