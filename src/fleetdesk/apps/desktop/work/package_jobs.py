"""Packages under other terms: tried on the riders who hold them, and written down for a run."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fleetdesk.apps.desktop.work.form_jobs import forms, save_forms
from fleetdesk.apps.desktop.work.jobs import OnProgress
from fleetdesk.apps.desktop.work.shapes import (
    FormCell,
    FormSheet,
    PackageDesk,
    PackageOutcome,
    Terms,
)
from fleetdesk.apps.desktop.work.tables import made_table
from fleetdesk.errors import FleetDeskError
from fleetdesk.model.sheet_template import Layout
from fleetdesk.settings import secrets
from fleetdesk.settings.fields import inputs_of
from fleetdesk.settings.package_sheets import TrialPackage
from fleetdesk.settings.reading import read_settings
from fleetdesk.settings.schema import Package, Settings
from fleetdesk.sheets.a1 import address
from fleetdesk.sheets.open import open_workbook
from fleetdesk.workflows.context import store_of

SECTION = "package_trial"
_KEYS = tuple(entry.key for entry in inputs_of(TrialPackage))


def packages(_: OnProgress, *, workbook: str) -> PackageDesk:
    """The packages as they are, and what the sheet Package trial would change of them."""
    settings, fingerprint = _settings(workbook)
    with store_of(Path(workbook).parent) as store:
        generation = store.generation
    known = {package.name: package for package in settings.packages}
    rows = [_now(number, package) for number, package in enumerate(settings.packages, start=1)]
    new = [row for row in settings.package_trial if row.name not in known]
    rows += [_blank(len(rows) + number) for number in range(1, len(new) + 1)]
    names = [*known, *(row.name for row in new)]
    places = {name: number for number, name in enumerate(names, start=1)}
    typed = {
        _cell(places[row.name], key): value
        for row in settings.package_trial
        for key, value in row.model_dump(exclude_none=True).items()
        if row.name not in known or value != _of(known[row.name], key)
    }
    sheet = FormSheet(
        SECTION, TrialPackage.sheet, TrialPackage.intro, Layout.LIST, inputs_of(TrialPackage),
        tuple(rows), settings.city.currency, len(rows) + 1,
        {key: column for column, key in enumerate(_KEYS, start=1)},
    )  # fmt: skip
    return PackageDesk(sheet, typed, fingerprint, str(generation))


def package_trial(
    on_progress: OnProgress, *, workbook: str, fingerprint: str, generation: str, terms: Terms
) -> PackageOutcome:
    """What riders would do under these terms; quick once the riders have been gathered."""
    from fleetdesk.outputs.tables.packages import trial_sheets
    from fleetdesk.workflows.package_trials import with_terms

    on_progress("Foretelling how far riders will ride", 0.0)
    settings, holders = _holders(workbook, (fingerprint, generation))
    rows = tuple(_row(one) for one in terms)
    found = holders.trial(with_terms(settings.packages, rows), settings)
    tried = settings.model_copy(update={SECTION: rows})
    figures, moves = (made_table(sheet) for sheet in trial_sheets(found, tried))
    by_name = {change.name: change for change in found.figures}
    margin, moved = by_name["Margin a month"], by_name["Riders moved"]
    return PackageOutcome(
        figures, moves, (margin.difference, margin.low, margin.high), round(moved.after),
        found.riders,
    )  # fmt: skip


def save_packages(on_progress: OnProgress, *, workbook: str, terms: Terms, expect: str) -> str:
    """Write the terms on the sheet Package trial, in place of what stood there."""
    rows = [_row(one).model_dump(include=set(one)) for one in terms]
    sheet = next(
        (one for one in forms(on_progress, workbook=workbook).sheets if one.section == SECTION),
        None,
    )
    if sheet is None or not sheet.new_row:
        raise FleetDeskError(
            f"The workbook cannot take the terms: its sheet {TrialPackage.sheet} is missing",
            fix="Press Run once, which adds the sheets that an older workbook lacks",
        )
    changes: list[tuple[str, str, object]] = []
    for number in range(max(len(rows), len(sheet.rows))):
        wanted = rows[number] if number < len(rows) else {}
        for cell in _row_of(sheet, number):
            if cell.cell and wanted.get(cell.key) != cell.value:
                changes.append((sheet.sheet, cell.cell, wanted.get(cell.key)))
    return save_forms(on_progress, workbook=workbook, changes=changes, expect=expect)


def _row_of(sheet: FormSheet, number: int) -> tuple[FormCell, ...]:
    """A row of the list, or an empty one below its last; between rows there may be blank lines."""
    if number < len(sheet.rows):
        return sheet.rows[number]
    line = sheet.new_row + number - len(sheet.rows)
    return tuple(
        FormCell(key, address(line, column), None) for key, column in sheet.columns.items()
    )


def _settings(workbook: str) -> tuple[Settings, str]:
    snapshot = open_workbook(workbook, secrets.reveal).snapshot()
    return read_settings(snapshot).settings, snapshot.fingerprint


@lru_cache(maxsize=1)
def _holders(workbook: str, _state: tuple[str, str]) -> tuple[Settings, Any]:
    """The riders with packages; gathered once for a state of workbook and records."""
    from fleetdesk.workflows.known import known
    from fleetdesk.workflows.package_trials import holders

    settings, _ = _settings(workbook)
    with store_of(Path(workbook).parent) as store:
        return settings, holders(known(store, settings), settings)


def _now(number: int, package: Package) -> tuple[FormCell, ...]:
    """A package of today; its name stays."""
    return tuple(
        FormCell(key, "" if key == "name" else _cell(number, key), _of(package, key))
        for key in _KEYS
    )


def _of(package: Package, key: str) -> object:
    return getattr(package, "active" if key == "on_offer" else key)


def _blank(number: int) -> tuple[FormCell, ...]:
    return tuple(FormCell(key, _cell(number, key), None) for key in _KEYS)


def _cell(number: int, key: str) -> str:
    """Where a value stands in the list on the page, which is no sheet's."""
    return address(number, _KEYS.index(key) + 1)


def _row(typed: Mapping[str, object]) -> TrialPackage:
    try:
        return TrialPackage(**typed)  # type: ignore[arg-type]
    except ValidationError as wrong:
        raise FleetDeskError(
            f"The package {typed.get('name') or 'without a name'} cannot be tried",
            found="; ".join(
                f"{' '.join(map(str, part['loc']))}: {part['msg']}" for part in wrong.errors()
            ),
            fix="Give each new package a name, and numbers within their bounds",
        ) from wrong
