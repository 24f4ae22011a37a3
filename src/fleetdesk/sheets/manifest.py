"""What FleetDesk owns in a workbook, as the hidden sheet `_fleetdesk` records it.

Two columns: a name and a value; each owned sheet is one row with its record as JSON. Rows that
others put there (the template's schema version, for one) are kept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from fleetdesk.errors import WorkbookRefused
from fleetdesk.sheets.base import SCHEMA_ROW, Value

VERSION = 1
_VERSION_ROW = "manifest_version"
_OWNED = "owned"


@dataclass(frozen=True)
class OwnedSheet:
    """One owned sheet: its name in plans, its table, and where both were last written.

    `drawings` are the (name, title) of the charts and pictures on it.
    """

    name: str
    table: str
    headers: tuple[str, ...]
    shown_as: str
    ref: str
    drawings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Manifest:
    """All owned sheets by their name in plans, and rows of others."""

    owned: Mapping[str, OwnedSheet]
    others: tuple[tuple[Value, Value], ...] = ()

    def with_schema(self, version: int | None) -> Manifest:
        """The same, saying which version of the settings the workbook has; None changes nothing."""
        if version is None:
            return self
        kept = tuple(row for row in self.others if row[0] != SCHEMA_ROW)
        return replace(self, others=((SCHEMA_ROW, version), *kept))

    def rows(self) -> list[tuple[Value, Value]]:
        """As rows of the hidden sheet."""
        own: list[tuple[Value, Value]] = [(_VERSION_ROW, VERSION)]
        for sheet in sorted(self.owned.values(), key=lambda sheet: sheet.name):
            record: dict[str, object] = {
                "sheet": sheet.name,
                "table": sheet.table,
                "shown_as": sheet.shown_as,
                "ref": sheet.ref,
                "headers": sheet.headers,
            }
            if sheet.drawings:
                record["drawings"] = sheet.drawings
            own.append((_OWNED, json.dumps(record, ensure_ascii=False)))
        return [*self.others, *own]


def read_manifest(cells: Mapping[tuple[int, int], Value], where: str) -> Manifest:
    """The manifest of the hidden sheet's cells; a newer or damaged one is refused."""
    owned: dict[str, OwnedSheet] = {}
    others: list[tuple[Value, Value]] = []
    for row in sorted({row for row, _ in cells}):
        name, value = cells.get((row, 1)), cells.get((row, 2))
        if name == _VERSION_ROW:
            if not isinstance(value, int) or value > VERSION:
                raise WorkbookRefused(
                    f"{where} was written by a newer FleetDesk",
                    found=f"manifest version {value}",
                    fix="Update FleetDesk on this computer and run again",
                )
        elif name == _OWNED:
            sheet = _owned_sheet(str(value), where)
            owned[sheet.name] = sheet
        else:
            others.append((name, value))
    return Manifest(owned, tuple(others))


def _owned_sheet(text: str, where: str) -> OwnedSheet:
    try:
        record = json.loads(text)
        return OwnedSheet(
            name=str(record["sheet"]),
            table=str(record["table"]),
            headers=tuple(str(header) for header in record["headers"]),
            shown_as=str(record["shown_as"]),
            ref=str(record["ref"]),
            drawings=tuple((str(name), str(title)) for name, title in record.get("drawings", ())),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise WorkbookRefused(
            f"The hidden sheet _fleetdesk of {where} is damaged, so what FleetDesk owns is unknown",
            found=text[:80],
            fix="Restore a file of the backups folder, or delete the sheet _fleetdesk together "
            "with all result sheets",
        ) from error
