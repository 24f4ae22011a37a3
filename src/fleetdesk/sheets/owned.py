"""Which sheets of a workbook FleetDesk owns, however the planner renamed or moved them.

A sheet is ours when it holds the table that the manifest names, or, where the table was turned
into plain cells, when it still has our name and our header row. Nothing else is ever overwritten.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fleetdesk.sheets.a1 import Area
from fleetdesk.sheets.base import MANIFEST_SHEET, ResultSheet, WritePlan
from fleetdesk.sheets.claims import (
    foreign_name,
    foreign_sheet,
    foreign_table,
    seek_headers,
    table_in_the_way,
)
from fleetdesk.sheets.manifest import Manifest, OwnedSheet, read_manifest
from fleetdesk.sheets.parts import Book, SheetEntry, relationships_of
from fleetdesk.sheets.reading import Reader
from fleetdesk.sheets.tables import TablePart, read_table


@dataclass(frozen=True)
class Found:
    """An owned sheet in the workbook; `table` is None when the planner removed it."""

    record: OwnedSheet
    entry: SheetEntry
    table: TablePart | None
    area: Area
    columns: Mapping[int, str]
    """Owned columns: number -> header."""


@dataclass(frozen=True)
class Ownership:
    """The manifest and where its sheets are now, plus every table of the workbook."""

    manifest: Manifest
    entry: SheetEntry | None
    found: Mapping[str, Found]
    tables: Mapping[str, tuple[SheetEntry, TablePart]]
    """By case-folded name."""

    @property
    def renamed(self) -> dict[str, str]:
        """Names in plans -> names the planner gave."""
        return {n: f.entry.name for n, f in self.found.items() if f.entry.name != n}


def find_owned(book: Book, reader: Reader) -> Ownership:
    """Read the manifest and look for its sheets."""
    entry = book.sheet(MANIFEST_SHEET)
    manifest = Manifest({})
    if entry is not None and entry.part and entry.kind == "worksheet":
        manifest = read_manifest(reader.sheet(entry.part)[0], book.package.where)
    tables = _tables(book)
    found: dict[str, Found] = {}
    for name, record in manifest.owned.items():
        place = _by_table(record, tables) or _by_headers(record, book, reader)
        if place is not None:
            found[name] = place
    return Ownership(manifest, entry, found, tables)


def refuse_foreign(book: Book, ownership: Ownership, plan: WritePlan) -> None:
    """Refuse a plan whose names the planner uses for something of their own.

    Writing beside it under another name would break the links between result sheets.
    """
    where = book.package.where
    names = defined_names(book)
    for sheet in plan.sheets:
        found = ownership.found.get(sheet.sheet)
        entry = book.sheet(sheet.sheet)
        if found is None and entry is not None:
            raise foreign_sheet(where, entry.name)
        table = ownership.tables.get(sheet.table_name.casefold())
        ours = found is not None and found.table is not None
        if table is not None and not (found and ours and table[1].part == found.table.part):  # type: ignore[union-attr]
            raise foreign_table(where, table[1].name, table[0].name)
        if sheet.table_name.casefold() in names:
            raise foreign_name(where, sheet.table_name)


def refuse_overlap(book: Book, found: Found, ownership: Ownership, area: Area) -> list[Area]:
    """The planner's own tables on an owned sheet; refused when the new result would cover one."""
    areas = []
    for entry, table in ownership.tables.values():
        own = found.table is not None and table.part == found.table.part
        if entry.part != found.entry.part or own:
            continue
        if table.area.meets(area):
            raise table_in_the_way(book.package.where, entry.name, table.name, table.area, area)
        areas.append(table.area)
    return areas


def new_record(
    sheet: ResultSheet,
    shown_as: str,
    area: Area,
    drawings: tuple[tuple[str, str], ...] = (),
) -> OwnedSheet:
    """The manifest's record of a sheet as it is written now."""
    headers = tuple(column.header for column in sheet.columns)
    return OwnedSheet(sheet.sheet, sheet.table_name, headers, shown_as, area.ref, drawings)


def _tables(book: Book) -> dict[str, tuple[SheetEntry, TablePart]]:
    tables: dict[str, tuple[SheetEntry, TablePart]] = {}
    for entry in book.sheets:
        if not entry.part or entry.kind != "worksheet":
            continue
        for relationship in relationships_of(book.package, entry.part):
            if relationship.kind == "table" and book.package.has(relationship.target):
                table = read_table(book.package, book.package.stored_name(relationship.target))
                if table is not None:
                    tables[table.name.casefold()] = (entry, table)
    return tables


def _by_table(
    record: OwnedSheet, tables: Mapping[str, tuple[SheetEntry, TablePart]]
) -> Found | None:
    place = tables.get(record.table.casefold())
    if place is None:
        return None
    entry, table = place
    columns = {
        table.area.left + index: header
        for index, header in enumerate(table.headers)
        if header in record.headers
    }
    if not columns:
        return None
    return Found(record, entry, table, table.area, columns)


def _by_headers(record: OwnedSheet, book: Book, reader: Reader) -> Found | None:
    entry = book.sheet(record.shown_as)
    if entry is None or not entry.part or entry.kind != "worksheet":
        return None
    sought = seek_headers(record, reader.sheet(entry.part)[0])
    return Found(record, entry, None, *sought) if sought else None


def defined_names(book: Book) -> set[str]:
    """The workbook's names for cells, case-folded."""
    node = book.root.child("definedNames")
    return {name.get("name").casefold() for name in node.children} if node else set()
