"""The planner's sheets as settings, or all that is wrong with them at once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from fleetdesk.errors import Problem, SettingsInvalid, Severity, WorkbookRefused
from fleetdesk.model.analyses import ANALYSES
from fleetdesk.model.sheet_template import FORM_HEADERS, Input
from fleetdesk.settings.cells import UNCOMPUTED
from fleetdesk.settings.checks import cross_checks
from fleetdesk.settings.fields import SECTIONS, inputs_of, value_text
from fleetdesk.settings.rows import Row, Rows, read_form, read_list
from fleetdesk.settings.schema import FORMS, SCHEMA_VERSION, SHEET_ORDER, City, Settings
from fleetdesk.settings.words import closest, normal, readings


class SheetRead(Protocol):
    """One sheet: `cells[(row, column)]` with 1-based indices; empty cells may be absent."""

    @property
    def cells(self) -> Mapping[tuple[int, int], object]:
        """The values by address."""


class WorkbookRead(Protocol):
    """Sheets read at one moment, wherever the workbook lives."""

    @property
    def where(self) -> str:
        """What the planner calls the workbook."""

    @property
    def sheets(self) -> Mapping[str, SheetRead]:
        """The sheets by name."""

    @property
    def sheet_names(self) -> Sequence[str]:
        """All sheets of the workbook, read or not."""

    @property
    def settings_schema(self) -> int:
        """The version of the settings that the workbook was last brought to."""

    @property
    def uncomputed(self) -> Mapping[str, Sequence[str]]:
        """A1 addresses of formulas without a stored value, by sheet."""


@dataclass(frozen=True)
class Reading:
    """The settings, and what is worth a look though it does not stop a run."""

    settings: Settings
    warnings: tuple[Problem, ...] = ()
    new: tuple[NewSettings, ...] = ()


@dataclass(frozen=True)
class NewSettings:
    """What a sheet lacks because its workbook is older; the defaults hold, as `note` says.

    No `inputs` = the whole sheet is new.
    """

    section: str
    inputs: tuple[Input, ...]
    note: Problem


def read_settings(workbook: WorkbookRead) -> Reading:
    """The checked settings of a workbook; raises SettingsInvalid with every problem at once.

    What a workbook of an older schema version cannot have yet has its default, with a note; one of
    a newer version is refused (WorkbookRefused).
    """
    if workbook.settings_schema > SCHEMA_VERSION:
        raise WorkbookRefused(
            f"{workbook.where} was written by a newer FleetDesk",
            found=f"version {workbook.settings_schema} of the settings; "
            f"this program knows {SCHEMA_VERSION}",
            fix="Update FleetDesk on this computer and run again",
        )
    new: list[NewSettings] = []
    sections: dict[str, Sequence[Row]] = {}
    problems: list[Problem] = []
    currency = City().currency
    for section in SHEET_ORDER:
        read = _read_sheet(workbook, section, currency)
        problems += read.problems
        if read.new or read.is_new:
            new.append(_new_settings(section, read))
        if read.rows or not read.problems:
            sections[section] = read.rows
        if section == "city" and read.rows:
            currency = str(read.rows[0].values.get("currency", currency))
    problems += [*cross_checks(sections), *(found.note for found in new)]
    problems.sort(key=_in_order)
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    if errors:
        raise SettingsInvalid(errors, workbook.where)
    return Reading(_settings(sections), tuple(problems), tuple(new))


def _read_sheet(workbook: WorkbookRead, section: str, currency: str) -> Rows:
    kind = SECTIONS[section]
    name = next((name for name in workbook.sheets if normal(name) == normal(kind.sheet)), None)
    version = workbook.settings_schema
    if kind.since > version and (name is None or not _is_ours(workbook, name, section)):
        return Rows((Row(kind.sheet, made=kind()),) if section in FORMS else (), (), is_new=True)
    if name is None:
        return Rows((), (_missing(workbook, kind.sheet),))
    cells = dict(workbook.sheets[name].cells)
    for address in workbook.uncomputed.get(name, ()):
        cells[_indices(address)] = UNCOMPUTED
    if section in FORMS:
        return read_form(name, cells, kind, version)
    return read_list(name, cells, kind, currency, version)


def _new_settings(section: str, read: Rows) -> NewSettings:
    kind = SECTIONS[section]
    if read.is_new:
        what, fix = "the sheet is new and its defaults are used", ""
    else:
        defaults = "; ".join(f"{e.label} = {value_text(e.default) or 'empty'}" for e in read.new)
        one = len(read.new) == 1
        what = "setting is new and has its default" if one else "settings are new, with defaults"
        what, fix = f"{len(read.new)} {what}: {defaults}", ""
    sheet = read.rows[0].sheet if read.rows else kind.sheet
    return NewSettings(section, read.new, Problem(sheet, "", "", what, fix, Severity.NOTE))


def _is_ours(workbook: WorkbookRead, name: str, section: str) -> bool:
    """Whether a sheet has the heads of the settings, as against one of the planner's own."""
    labels = [entry.label for entry in inputs_of(SECTIONS[section])]
    wanted = {normal(head) for head in (FORM_HEADERS if section in FORMS else labels)}
    rows: dict[int, set[str]] = {}
    for (row, _), value in workbook.sheets[name].cells.items():
        rows.setdefault(row, set()).update(readings(str(value)))
    return any(2 * len(wanted & found) >= len(wanted) for found in rows.values())


def _missing(workbook: WorkbookRead, sheet: str) -> Problem:
    ours = {normal(kind.sheet) for kind in SECTIONS.values()}
    ours |= {normal(sheet) for analysis in ANALYSES for sheet in analysis.sheets}
    others = [name for name in workbook.sheet_names if normal(name) not in ours]
    alike = closest(sheet, others)
    if alike:
        return Problem(alike, "", f"'{alike}'", f"is not a known sheet; did you mean '{sheet}'?",
                       f"Name the sheet '{sheet}'")  # fmt: skip
    return Problem(sheet, "", "", "the sheet is missing",
                   f"Name it '{sheet}' again if it has another name now, or copy it back from the "
                   "planner's template")  # fmt: skip


def _settings(sections: Mapping[str, Sequence[Row]]) -> Settings:
    content: dict[str, object] = {}
    for section, rows in sections.items():
        made = tuple(row.made or SECTIONS[section](**row.values) for row in rows)
        content[section] = made[0] if section in FORMS else made
    return Settings.model_validate(content)


def _in_order(problem: Problem) -> tuple[int, int, int]:
    """By sheet in the order of the work, then down the rows."""
    sheets = [normal(SECTIONS[section].sheet) for section in SHEET_ORDER]
    name = normal(problem.sheet)
    row, column = _indices(problem.cell) if problem.cell else (0, 0)
    return (sheets.index(name) if name in sheets else -1, row, column)


def _indices(address: str) -> tuple[int, int]:
    found = re.fullmatch(r"([A-Z]{1,3})([1-9]\d*)", address.replace("$", "").upper())
    if found is None:
        raise ValueError(f"not a cell address: {address!r}")
    column = 0
    for letter in found.group(1):
        column = column * 26 + ord(letter) - 64
    return int(found.group(2)), column
