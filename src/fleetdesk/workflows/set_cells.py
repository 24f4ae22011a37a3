"""`fleetdesk set`: settings entered into their own cells of the workbook, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fleetdesk.errors import FleetDeskError
from fleetdesk.settings import secrets
from fleetdesk.settings.cells import Fault, convert
from fleetdesk.settings.fields import inputs_of, value_text
from fleetdesk.settings.reading import read_settings
from fleetdesk.settings.rows import read_form
from fleetdesk.settings.schema import FORMS
from fleetdesk.settings.words import normal
from fleetdesk.sheets.a1 import parse_address
from fleetdesk.sheets.base import SheetCells, Snapshot, Value
from fleetdesk.sheets.cell_changes import CellChange, change_cells
from fleetdesk.sheets.open import open_workbook
from fleetdesk.workflows.context import Clock, is_file, utc_now
from fleetdesk.workflows.trial_settings import typed


@dataclass(frozen=True)
class Entered:
    """What was entered, each as `Weights: Low battery: 0.35 -> 0.5`, and the backup."""

    workbook: str
    changes: tuple[str, ...]
    backup: str

    def as_dict(self) -> Mapping[str, Any]:
        """For the command line."""
        lines = [*self.changes, f"Backup    {self.backup}"]
        return {
            "workbook": self.workbook,
            "changes": list(self.changes),
            "backup": self.backup,
            "text": "\n".join(lines),
        }


def set_cells(address: str, changes: Sequence[str], *, clock: Clock = utc_now) -> Entered:
    """Enter `Sheet: Label=value` into the workbook file, an empty value empties the cell.

    All or nothing: settings that could not be used then raise SettingsInvalid, and a workbook that
    is open elsewhere or a cell with a formula WorkbookRefused.
    """
    if not is_file(address):
        raise FleetDeskError(
            "Settings are entered into workbooks that are files",
            found=address,
            fix="Change them in the sheet itself",
        )
    path = Path(address).resolve()
    snapshot = open_workbook(path, secrets.reveal).snapshot()
    found = [_change(snapshot, change) for change in changes]
    read_settings(_with(snapshot, [cell for cell, _ in found]))
    local = clock().astimezone()
    receipt = change_cells(path, [cell for cell, _ in found], snapshot.fingerprint, lambda: local)
    return Entered(str(path), tuple(text for _, text in found), receipt.backup)


def _change(snapshot: Snapshot, change: str) -> tuple[CellChange, str]:
    """The cell that is meant, what goes into it, and both values in words."""
    where, equals, text = change.partition("=")
    sheet, colon, label = (part.strip() for part in where.partition(":"))
    if not equals or not colon:
        raise _wrong(change, "it is not of the form Sheet: Label=value")
    kind = next((one for one in FORMS.values() if normal(one.sheet) == normal(sheet)), None)
    name = next((one for one in snapshot.sheets if normal(one) == normal(sheet)), None)
    if kind is None or name is None:
        raise _wrong(change, f"there is no sheet {sheet!r} of single settings")
    entry = next((one for one in inputs_of(kind) if normal(one.label) == normal(label)), None)
    if entry is None:
        raise _wrong(change, f"{name} has no {label!r}")
    cells = dict(snapshot.sheets[name].cells)
    row = read_form(name, cells, kind, snapshot.settings_schema).rows[0]
    cell = row.cell(entry.key)
    place = parse_address(cell)
    if place is None:
        raise _wrong(change, f"{name} lacks the row {entry.label!r}")
    value = convert(typed(text.strip(), entry), entry) if text.strip() else None
    if isinstance(value, Fault):
        raise _wrong(change, f"{value.found} {value.expected}")
    entered: Value = value_text(value) if isinstance(value, bool) else value
    before, after = value_text(row.values.get(entry.key)), value_text(value)
    words = f"{name}: {entry.label}: {before or 'empty'} -> {after or 'empty'}"
    return CellChange(name, cell, entered), words


def _with(snapshot: Snapshot, changes: Sequence[CellChange]) -> Snapshot:
    """The snapshot as it would be with the changes."""
    sheets = dict(snapshot.sheets)
    for change in changes:
        place = parse_address(change.cell)
        assert place is not None, "the address is that of a cell that was read"
        old = sheets[change.sheet]
        cells = {**old.cells, place: change.value}
        sheets[change.sheet] = SheetCells(old.name, cells, old.hidden)
    return replace(snapshot, sheets=sheets)


def _wrong(change: str, found: str) -> FleetDeskError:
    return FleetDeskError(
        f"The setting {change!r} cannot be entered",
        found=found,
        fix='Write it as on the sheets, such as "Thresholds: Low battery below=30"',
    )
