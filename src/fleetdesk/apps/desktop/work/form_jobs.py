"""The settings sheets as forms: read as they stand in the cells, checked, and written back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from fleetdesk.apps.desktop.work.jobs import OnProgress
from fleetdesk.apps.desktop.work.shapes import FormCell, Forms, FormSheet
from fleetdesk.errors import FleetDeskError, Problem, SettingsInvalid
from fleetdesk.model.sheet_template import Layout
from fleetdesk.settings import secrets
from fleetdesk.settings.fields import SECTIONS, inputs_of
from fleetdesk.settings.reading import read_settings
from fleetdesk.settings.rows import Row, read_form, read_list
from fleetdesk.settings.schema import FORMS, SHEET_ORDER, City
from fleetdesk.settings.sheet import Sheet
from fleetdesk.settings.words import normal
from fleetdesk.sheets.a1 import parse_address
from fleetdesk.sheets.base import SheetCells, Snapshot, Value
from fleetdesk.sheets.cell_changes import CellChange, change_cells, formula_cells
from fleetdesk.sheets.file_switch import refuse_if_locked
from fleetdesk.sheets.open import open_workbook

Changes = Sequence[tuple[str, str, object]]
"""(sheet, A1 address, new value)."""


def forms(_: OnProgress, *, workbook: str) -> Forms:
    """All settings sheets that the workbook has, and what is wrong with them now."""
    snapshot = open_workbook(workbook, secrets.reveal).snapshot()
    names = {normal(name): name for name in snapshot.sheets}
    formulas = formula_cells(Path(workbook), names.values())
    currency = _currency(snapshot, names)
    sheets = []
    for section in SHEET_ORDER:
        kind = SECTIONS[section]
        name = names.get(normal(kind.sheet))
        if name is not None:
            sheets.append(_form(snapshot, name, section, kind, currency, formulas[name]))
    return Forms(
        tuple(_with_choices(sheet, sheets) for sheet in sheets), _problems(snapshot),
        snapshot.fingerprint, _read_only(Path(workbook)),
    )  # fmt: skip


def check_forms(_: OnProgress, *, workbook: str, changes: Changes) -> tuple[Problem, ...]:
    """What would be wrong if the changes were saved; nothing is."""
    snapshot = open_workbook(workbook, secrets.reveal).snapshot()
    sheets = dict(snapshot.sheets)
    for sheet, cell, value in changes:
        place = parse_address(cell)
        cells = dict(sheets[sheet].cells)
        if place is not None:
            cells[place] = value  # type: ignore[assignment]
            if value is None:
                del cells[place]
        sheets[sheet] = SheetCells(sheets[sheet].name, cells, sheets[sheet].hidden)
    return _problems(replace(snapshot, sheets=MappingProxyType(sheets)))


def save_forms(_: OnProgress, *, workbook: str, changes: Changes, expect: str) -> str:
    """Write the changes into their cells and nothing else; returns the new fingerprint."""
    entered = [CellChange(sheet, cell, _typed(value)) for sheet, cell, value in changes]
    return change_cells(Path(workbook), entered, expect, _now).fingerprint


def _form(
    snapshot: Snapshot, name: str, section: str, kind: type[Sheet], currency: str,
    formulas: frozenset[str],
) -> FormSheet:  # fmt: skip
    cells = dict(snapshot.sheets[name].cells)
    version = snapshot.settings_schema
    inputs = inputs_of(kind)
    if section in FORMS:
        found = read_form(name, cells, kind, version)
        rows = found.rows
        return FormSheet(
            section, name, kind.intro, Layout.FORM, inputs,
            tuple(_cells(row, cells, kind, formulas) for row in rows), currency,
        )  # fmt: skip
    found = read_list(name, cells, kind, currency, version)
    return FormSheet(
        section, name, kind.intro, Layout.LIST, inputs,
        tuple(_cells(row, cells, kind, formulas) for row in found.rows), currency,
        found.next_line, dict(found.columns),
    )  # fmt: skip


def _cells(
    row: Row, cells: Mapping[tuple[int, int], Value], kind: type[Sheet], formulas: frozenset[str]
) -> tuple[FormCell, ...]:
    made = []
    for entry in inputs_of(kind):
        cell = row.cell(entry.key)
        place = parse_address(cell) if cell else None
        raw = cells.get(place) if place else None
        shown = row.values.get(entry.key, raw) if raw is not None else None
        made.append(FormCell(entry.key, cell, shown, cell in formulas))
    return tuple(made)


def _with_choices(sheet: FormSheet, sheets: Sequence[FormSheet]) -> FormSheet:
    """The names that a setting may take from another sheet's list."""
    choices: dict[str, tuple[str, ...]] = {}
    for entry in sheet.inputs:
        if entry.choices_from is None:
            continue
        label = entry.choices_from[1]
        for other in sheets:
            if other.layout is Layout.LIST and other.inputs[0].label == label:
                choices[entry.key] = tuple(
                    str(row[0].value) for row in other.rows if row[0].value is not None
                )
    return replace(sheet, choices=choices) if choices else sheet


def _problems(snapshot: Snapshot) -> tuple[Problem, ...]:
    try:
        return read_settings(snapshot).warnings
    except SettingsInvalid as invalid:
        return invalid.problems


def _currency(snapshot: Snapshot, names: Mapping[str, str]) -> str:
    name = names.get(normal(City.sheet))
    if name is None:
        return City().currency
    rows = read_form(name, dict(snapshot.sheets[name].cells), City, snapshot.settings_schema).rows
    return str(rows[0].values.get("currency", City().currency)) if rows else City().currency


def _read_only(path: Path) -> str:
    """Why nothing can be written now; "" when it can."""
    try:
        refuse_if_locked(path)
    except FleetDeskError as error:
        return str(error)
    return ""


def _typed(value: object) -> Value:
    """A value as a planner would have typed it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return None if value == "" else value  # type: ignore[return-value]


def _now() -> datetime:
    return datetime.now(UTC).astimezone()
