"""A workbook open in Excel: its sheets, its tables, and which of them are FleetDesk's."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleetdesk.sheets.a1 import Area
from fleetdesk.sheets.base import MANIFEST_SHEET
from fleetdesk.sheets.claims import seek_headers
from fleetdesk.sheets.excel_app import Patience
from fleetdesk.sheets.excel_page import Page, TableSpot
from fleetdesk.sheets.excel_sheet import Place
from fleetdesk.sheets.excel_values import Cells, Contents, fingerprint
from fleetdesk.sheets.manifest import Manifest, OwnedSheet, read_manifest

MARKER = "last_write"
"""The manifest's row that a write changes last."""
BACKUP = "last_backup"
"""The manifest's row with the name of the copy from before the last write."""


@dataclass(frozen=True)
class State:
    """The workbook as read at one moment; `cells` hold every sheet but unasked owned ones."""

    pages: Mapping[str, Page]
    tables: Mapping[str, TableSpot]
    cells: Mapping[str, Cells]
    manifest: Manifest
    places: Mapping[str, Place]

    @property
    def nothing(self) -> Cells:
        """The content of a sheet that is not there yet."""
        return Cells()

    @property
    def marker(self) -> str:
        """The mark of the last complete write."""
        return next((str(value) for name, value in self.manifest.others if name == MARKER), "")

    @property
    def planner(self) -> dict[str, Contents]:
        """What stands in the sheets that are not FleetDesk's."""
        ours = {place.sheet for place in self.places.values()} | {MANIFEST_SHEET}
        return {n: cells.contents for n, cells in self.cells.items() if n not in ours}

    @property
    def fingerprint(self) -> str:
        """Identifies the planner's input together with the last write."""
        return fingerprint(self.planner, self.marker)


class OpenBook:
    """One workbook in Excel; `do` waits while Excel is busy."""

    def __init__(self, book: Any, do: Patience) -> None:
        self._book = book
        self.do = do

    @property
    def where(self) -> str:
        """What the planner calls the workbook."""
        return self.do.where

    def app(self) -> Any:
        """The Excel in which it is open."""
        return self.do(lambda: self._book.app)

    def path(self) -> Path | None:
        """Its file on this computer; None when it was never saved, or lies in a cloud."""
        folder = self.do(lambda: str(self._book.api.Path or ""))
        return None if not folder or "://" in folder else Path(folder) / self.where

    def look(self, names: Collection[str] | None) -> State:
        """Read the planner's sheets, and of the owned ones those named (all when None)."""
        pages = self._pages()
        tables = {t.name.casefold(): t for page in pages.values() for t in page.tables()}
        cells: dict[str, Cells] = {}
        manifest = Manifest({})
        if MANIFEST_SHEET in pages:
            cells[MANIFEST_SHEET] = pages[MANIFEST_SHEET].read()
            manifest = read_manifest(cells[MANIFEST_SHEET].values, self.where)
        places: dict[str, Place] = {}
        for name, record in manifest.owned.items():
            place = _by_table(record, tables)
            if place is None and record.shown_as in pages:
                plain = cells.setdefault(record.shown_as, pages[record.shown_as].read())
                sought = seek_headers(record, plain.values)
                place = Place(record, record.shown_as, None, *sought) if sought else None
            if place is not None:
                places[name] = place
        ours = {place.sheet: name for name, place in places.items()}
        for sheet, page in pages.items():
            wanted = names is None or sheet in names or ours.get(sheet) in names
            if sheet not in cells and (sheet not in ours or wanted):
                cells[sheet] = page.read()
        ordered = {sheet: cells[sheet] for sheet in pages if sheet in cells}
        return State(pages, tables, ordered, manifest, places)

    def names(self) -> set[str]:
        """The names given in the workbook, case-folded."""
        return {
            name.casefold() for name in self.do(lambda: [str(n.name) for n in self._book.names])
        }

    def structure_locked(self) -> bool:
        """Whether sheets can be neither added nor removed."""
        return bool(self.do(lambda: self._book.api.ProtectStructure))

    def active_sheet(self) -> str:
        """The name of the sheet that the planner looks at."""
        return self.do(lambda: str(self._book.sheets.active.name))

    def activate(self, name: str) -> None:
        """Show a sheet again if another one came to the front."""
        if self.active_sheet() != name:
            # Through COM: xlwings would bring Excel's window before all others, too.
            self.do(lambda: self._book.sheets[name].api.Activate())

    def add_sheet(self, name: str) -> Page:
        """A new sheet behind all that the planner sees."""
        pages = self._pages()
        last = [page for sheet, page in pages.items() if sheet != MANIFEST_SHEET][-1].sheet
        sheet = self.do(lambda: self._book.sheets.add(after=last))
        try:
            self.do(lambda: setattr(sheet, "name", name))
        except BaseException:
            # Without its name nobody would know that it is ours.
            self.do(lambda: sheet.delete())
            raise
        return self._page(sheet)

    def delete_sheet(self, name: str) -> None:
        """Remove a sheet that FleetDesk added."""
        page = self._pages().get(name)
        if page is not None:
            self.do(lambda: page.sheet.delete())

    def manifest_page(self, *, create: bool) -> Page | None:
        """The hidden sheet that says what FleetDesk owns."""
        page = self._pages().get(MANIFEST_SHEET)
        if page is None and create:
            page = self.add_sheet(MANIFEST_SHEET)
            self.do(lambda: setattr(page.sheet, "visible", False))
        return page

    def save_copy(self, path: Path) -> None:
        """Write the workbook, as it is in Excel now, into another file."""
        self.do(lambda: self._book.api.SaveCopyAs(str(path)))

    def close(self) -> None:
        """Close the workbook as it is, without saving."""
        self.do(lambda: self._book.close())

    def _pages(self) -> dict[str, Page]:
        sheets: Sequence[Any] = self.do(lambda: list(self._book.sheets))
        pages = [self._page(sheet) for sheet in sheets]
        return {page.name: page for page in pages}

    def _page(self, sheet: Any) -> Page:
        date1904 = bool(self.do(lambda: self._book.api.Date1904))
        return Page(sheet, self.do, date1904)


def _by_table(record: OwnedSheet, tables: Mapping[str, TableSpot]) -> Place | None:
    spot = tables.get(record.table.casefold())
    if spot is None:
        return None
    area: Area = spot.area
    columns = {
        area.left + index: header
        for index, header in enumerate(spot.headers)
        if header in record.headers
    }
    return Place(record, spot.sheet, spot, area, columns) if columns else None
