"""`fleetdesk set`: settings entered into their own cells of the workbook, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fleetdesk.errors import FleetDeskError, Problem, SettingsInvalid
from fleetdesk.model.sheet_template import Input
from fleetdesk.settings import secrets
from fleetdesk.settings.cells import Fault, convert, is_blank, show
from fleetdesk.settings.fields import inputs_of, value_text
from fleetdesk.settings.reading import read_settings
from fleetdesk.settings.rows import read_form
from fleetdesk.settings.schema import FORMS, LISTS
from fleetdesk.settings.sheet import Sheet
from fleetdesk.settings.words import closest, normal
from fleetdesk.sheets.a1 import parse_address
from fleetdesk.sheets.base import SheetCells, Snapshot, Value
from fleetdesk.sheets.cell_changes import CellChange, change_cells
from fleetdesk.sheets.open import open_workbook
from fleetdesk.workflows.context import Clock, is_file, utc_now
from fleetdesk.workflows.trial_settings import typed

_FORM = 'Write it as on the sheets, such as "Thresholds: Low battery below=30"'
_CHECK = "fleetdesk check says how to get it"


@dataclass(frozen=True)
class Entered:
    """What was entered, each as `Weights: Low battery: 0.35 -> 0.5`, and the backup.

    `still_wrong` are the problems elsewhere in the workbook, which were there before.
    """

    workbook: str
    changes: tuple[str, ...]
    backup: str
    still_wrong: tuple[Problem, ...] = ()

    def as_dict(self) -> Mapping[str, Any]:
        """For the command line."""
        lines = [
            *self.changes,
            *(f"Still to mend: {problem}" for problem in self.still_wrong),
            f"Backup    {self.backup}",
        ]
        return {
            "workbook": self.workbook,
            "changes": list(self.changes),
            "backup": self.backup,
            "still_wrong": [str(problem) for problem in self.still_wrong],
            "text": "\n".join(lines),
        }


def set_cells(address: str, changes: Sequence[str], *, clock: Clock = utc_now) -> Entered:
    """Enter `Sheet: Label=value` into the workbook file, an empty value empties the cell.

    All or nothing: entries that are wrong or would spoil another setting raise SettingsInvalid, and
    a workbook that is open elsewhere or a cell with a formula WorkbookRefused. What was wrong
    elsewhere before hinders nothing.
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
    entered = [cell for cell, _ in found]
    still_wrong = _left_over(snapshot, entered)
    local = clock().astimezone()
    receipt = change_cells(path, entered, snapshot.fingerprint, lambda: local)
    return Entered(str(path), tuple(text for _, text in found), receipt.backup, still_wrong)


def _left_over(snapshot: Snapshot, entered: Sequence[CellChange]) -> tuple[Problem, ...]:
    """What stays wrong in cells that were wrong before; SettingsInvalid for what would be new."""
    before = {(wrong.sheet, wrong.cell) for wrong in _problems(snapshot)}
    before -= {(change.sheet, change.cell) for change in entered}
    after = _problems(_with(snapshot, entered))
    if new := [wrong for wrong in after if (wrong.sheet, wrong.cell) not in before]:
        raise SettingsInvalid(new, snapshot.where)
    return after


def _problems(snapshot: Snapshot) -> tuple[Problem, ...]:
    try:
        read_settings(snapshot)
    except SettingsInvalid as invalid:
        return invalid.problems
    return ()


def _change(snapshot: Snapshot, change: str) -> tuple[CellChange, str]:
    """The cell that is meant, what goes into it, and both values in words."""
    where, equals, text = change.partition("=")
    sheet, colon, label = (part.strip() for part in where.partition(":"))
    if not equals or not colon:
        raise _wrong(change, "it is not of the form Sheet: Label=value", _FORM)
    kind, name = _form(snapshot, change, sheet)
    entry = next((one for one in inputs_of(kind) if normal(one.label) == normal(label)), None)
    if entry is None:
        labels = [one.label for one in inputs_of(kind)]
        raise _wrong(change, f"{name} has no {label!r}", _meant(label, labels))
    cells = dict(snapshot.sheets[name].cells)
    row = read_form(name, cells, kind, snapshot.settings_schema).rows[0]
    cell = row.cell(entry.key)
    place = parse_address(cell)
    if place is None:
        raise _wrong(change, f"{name} lacks the row {entry.label!r}", _CHECK)
    value = convert(typed(text.strip(), entry), entry) if text.strip() else None
    if isinstance(value, Fault):
        point = ", decimals with a point" if "decimal comma" in value.expected else ""
        fix = f"Enter {entry.expects}{point}"
        raise _wrong(change, f"{value.found} {value.expected}", fix)
    raw = cells.get(place)
    before = "empty" if is_blank(raw) else value_text(row.values.get(entry.key)) or show(raw)
    entered: Value = value_text(value) if isinstance(value, bool) else value
    words = f"{name}: {entry.label}: {before} -> {value_text(value) or _by_default(entry)}"
    return CellChange(name, cell, entered), words


def _form(snapshot: Snapshot, change: str, sheet: str) -> tuple[type[Sheet], str]:
    """The kind of a sheet of single settings, and its name in this workbook."""
    kind = next((one for one in FORMS.values() if normal(one.sheet) == normal(sheet)), None)
    if kind is None:
        names = [one.sheet for one in FORMS.values()]
        tables = [one.sheet for one in LISTS.values()]
        if (table := _alike(sheet, [*names, *tables])) in tables:
            fix = "Edit its rows in the workbook; only single settings are entered so"
            raise _wrong(change, f"{table} is a table", fix)
        raise _wrong(change, f"there is no sheet {sheet!r} of settings", _meant(sheet, names))
    name = next((one for one in snapshot.sheets if normal(one) == normal(sheet)), None)
    if name is None:
        raise _wrong(change, f"the workbook has no sheet {kind.sheet}", _CHECK)
    return kind, name


def _meant(text: str, known: Sequence[str]) -> str:
    alike = _alike(text, known)
    return f"Did you mean {alike!r}?" if alike else f"Known are {', '.join(known)}"


def _alike(text: str, known: Sequence[str]) -> str | None:
    """The one that is meant, or that begins so: Workers for Workers & vans."""
    begun = (one for one in known if text and normal(one).startswith(normal(text)))
    return closest(text, known) or next(begun, None)


def _by_default(entry: Input) -> str:
    default = value_text(entry.default)
    return f"empty, so the default {default} counts" if default else "empty"


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


def _wrong(change: str, found: str, fix: str) -> FleetDeskError:
    return FleetDeskError(f"The setting {change!r} cannot be entered", found=found, fix=fix)
