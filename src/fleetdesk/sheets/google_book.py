"""A Google Sheet as one call reads it: sheets, cells, named ranges, and their fingerprint.

Everything comes from one answer, so that all of it is of one moment.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from fleetdesk.sheets.a1 import Area
from fleetdesk.sheets.base import MANIFEST_SHEET, Value
from fleetdesk.sheets.claims import seek_headers
from fleetdesk.sheets.google_values import Json, Mark, mark_of, read_value, shown_kind
from fleetdesk.sheets.manifest import Manifest, OwnedSheet, read_manifest

FIELDS = (
    "spreadsheetId,properties.title,namedRanges,"
    "sheets(properties(sheetId,title,index,sheetType,hidden,"
    "gridProperties(rowCount,columnCount)),merges,protectedRanges(protectedRangeId,namedRangeId),"
    "charts(chartId),"
    "data(startRow,startColumn,"
    "rowData.values(userEnteredValue,effectiveValue,effectiveFormat.numberFormat)))"
)
"""What is asked for: values, what was typed, and the formats that tell dates from numbers."""
WRITE_ROW = "last_write"
"""The manifest's row that names the last write."""
PREFIX = "FleetDesk_"
"""Before the names of our tables, so that they clash with no cell address or planner's name."""

Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class GoogleCell:
    """One filled cell: what was typed (`ExtendedValue`), what it shows, how it is compared.

    Nothing was typed into a cell that a formula elsewhere fills.
    """

    entered: Json
    value: Value
    mark: Mark

    @property
    def formula(self) -> bool:
        """Whether a formula was typed."""
        return "formulaValue" in self.entered


@dataclass(frozen=True)
class Page:
    """One sheet; `rows` and `columns` are the size of its grid; other kinds have no cells."""

    id: int
    title: str
    hidden: bool
    grid: bool
    rows: int
    columns: int
    cells: Mapping[Place, GoogleCell] = field(repr=False)
    merges: tuple[Area, ...] = ()
    charts: tuple[int, ...] = ()

    def values(self) -> dict[Place, Value]:
        """The cells that show something."""
        shown = ((place, cell.value) for place, cell in self.cells.items())
        return {place: value for place, value in shown if value is not None}

    def marks(self) -> dict[Place, Mark]:
        """What was typed, without what a formula elsewhere spilled: that is a result."""
        return {place: cell.mark for place, cell in self.cells.items() if cell.entered}


@dataclass(frozen=True)
class NamedRange:
    """A name for a rectangle of cells, which moves along when rows or columns are inserted."""

    id: str
    name: str
    sheet_id: int
    area: Area | None


@dataclass(frozen=True)
class Owned:
    """An owned sheet as it stands; `range` is None when the planner removed the name."""

    record: OwnedSheet
    page: Page
    range: NamedRange | None
    area: Area
    columns: Mapping[int, str]


@dataclass(frozen=True)
class GoogleBook:
    """The whole spreadsheet at one moment."""

    title: str
    pages: tuple[Page, ...]
    ranges: Mapping[str, NamedRange]
    protected: frozenset[str]
    """Ids of named ranges that are protected."""

    def page(self, title: str) -> Page | None:
        """The sheet of this name; Google tells no upper from lower case here."""
        wanted = title.casefold()
        return next((page for page in self.pages if page.title.casefold() == wanted), None)

    @cached_property
    def fingerprint(self) -> str:
        """The same for the same content, whatever of it is asked for."""
        return fingerprint((page.title, page.hidden, page.marks().items()) for page in self.pages)

    @cached_property
    def manifest(self) -> Manifest:
        """What FleetDesk owns here."""
        page = self.page(MANIFEST_SHEET)
        return read_manifest(page.values() if page else {}, self.title)

    @property
    def last_write(self) -> str:
        """The name of the write that made this content, "" before the first."""
        return next((str(v) for name, v in self.manifest.others if name == WRITE_ROW), "")

    @cached_property
    def owned(self) -> dict[str, Owned]:
        """The owned sheets that are there, by their name in plans."""
        found: dict[str, Owned] = {}
        for name, record in self.manifest.owned.items():
            place = self._by_range(record) or self._by_headers(record)
            if place is not None:
                found[name] = place
        return found

    def _by_range(self, record: OwnedSheet) -> Owned | None:
        named = self.ranges.get(range_name(record.table))
        page = next((p for p in self.pages if named and p.id == named.sheet_id), None)
        if named is None or named.area is None or page is None:
            return None
        area = named.area
        columns = {
            column: str(page.cells[area.top, column].value)
            for column in range(area.left, area.right + 1)
            if (area.top, column) in page.cells
            and page.cells[area.top, column].value in record.headers
        }
        return Owned(record, page, named, area, columns) if columns else None

    def _by_headers(self, record: OwnedSheet) -> Owned | None:
        page = self.page(record.shown_as)
        sought = seek_headers(record, page.values()) if page else None
        return Owned(record, page, None, *sought) if page and sought else None


def range_name(table: str) -> str:
    """The named range of a table: letters, digits and underscores only."""
    return PREFIX + table.replace(".", "_")


def read_book(answer: Json) -> GoogleBook:
    """The answer of `spreadsheets.get` as a book; what the service leaves out is 0, "" or no."""
    pages, protected = [], set()
    for sheet in answer.get("sheets", ()):
        pages.append((sheet["properties"].get("index", 0), _page(sheet)))
        for item in sheet.get("protectedRanges", ()):
            protected.add(item.get("namedRangeId", ""))
    ranges = [_named(item) for item in answer.get("namedRanges", ())]
    return GoogleBook(
        title=answer.get("properties", {}).get("title", ""),
        pages=tuple(page for _, page in sorted(pages, key=lambda item: item[0])),
        ranges={named.name: named for named in ranges},
        protected=frozenset(protected - {""}),
    )


def fingerprint(pages: Iterable[tuple[str, bool, Iterable[tuple[Place, Mark]]]]) -> str:
    """One hash over titles, visibility and cells of all sheets in their order."""
    digest = hashlib.sha256()
    for title, hidden, cells in pages:
        digest.update(json.dumps([title, hidden]).encode())
        for (row, column), mark in sorted(cells):
            digest.update(f"{row},{column}:".encode() + json.dumps(mark).encode())
    return digest.hexdigest()


def _page(sheet: Json) -> Page:
    properties = sheet["properties"]
    size = properties.get("gridProperties", {})
    cells: dict[Place, GoogleCell] = {}
    for block in sheet.get("data", ()):
        first_row, first_column = block.get("startRow", 0) + 1, block.get("startColumn", 0) + 1
        for row, content in enumerate(block.get("rowData", ()), start=first_row):
            for column, cell in enumerate(content.get("values", ()), start=first_column):
                typed = cell.get("userEnteredValue")
                if typed:
                    mark = mark_of(typed, shown_kind(cell))
                    cells[row, column] = GoogleCell(typed, read_value(cell), mark)
                elif cell.get("effectiveValue"):
                    cells[row, column] = GoogleCell({}, read_value(cell), ("", ""))
    return Page(
        id=properties.get("sheetId", 0),
        title=properties.get("title", ""),
        hidden=properties.get("hidden", False),
        grid=properties.get("sheetType", "GRID") == "GRID",
        rows=size.get("rowCount", 0),
        columns=size.get("columnCount", 0),
        cells=cells,
        merges=tuple(area for area in map(_area, sheet.get("merges", ())) if area),
        charts=tuple(chart.get("chartId", 0) for chart in sheet.get("charts", ())),
    )


def _named(item: Json) -> NamedRange:
    place = item.get("range", {})
    return NamedRange(
        item.get("namedRangeId", ""), item.get("name", ""), place.get("sheetId", 0), _area(place)
    )


def _area(place: Json) -> Area | None:
    """A `GridRange`, counted from 0 with open ends, as an area; None for whole rows or columns."""
    if "endRowIndex" not in place or "endColumnIndex" not in place:
        return None
    return Area(
        place.get("startRowIndex", 0) + 1,
        place.get("startColumnIndex", 0) + 1,
        place["endRowIndex"],
        place["endColumnIndex"],
    )
