"""A planner's workbook that is open in Excel: read in blocks, written while they look on.

Excel has no switch from old to new in one step. Everything is therefore checked before the first
cell is written, and what was there is put back when anything fails on the way.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fleetdesk.errors import WorkbookRefused
from fleetdesk.model.sheet_template import SheetTemplate
from fleetdesk.sheets.a1 import Area
from fleetdesk.sheets.base import (
    MANIFEST_SHEET,
    Capabilities,
    Receipt,
    SheetCells,
    Snapshot,
    WritePlan,
)
from fleetdesk.sheets.claims import foreign_name, foreign_sheet, foreign_table
from fleetdesk.sheets.excel_app import PREFIX, Patience, find_book, quiet
from fleetdesk.sheets.excel_book import BACKUP, MARKER, OpenBook, State
from fleetdesk.sheets.excel_sheet import (
    Place,
    SheetWrite,
    Spot,
    apply_write,
    changes,
    decorate,
    plan_write,
    refuse_overlap,
    same,
    undo_write,
)
from fleetdesk.sheets.excel_undo import put_back
from fleetdesk.sheets.excel_values import Content, fingerprint
from fleetdesk.sheets.file_switch import (
    Clock,
    backup_path,
    changed,
    explained,
    forget_old_backups,
    local_now,
)
from fleetdesk.sheets.links import Target
from fleetdesk.sheets.manifest import Manifest, OwnedSheet
from fleetdesk.sheets.plan_check import check_plan


class ExcelLive:
    """The workbook called `name` in Excel, or the active one; `clock` dates the backups.

    The first use decides which workbook it is, whatever the planner then clicks on.
    """

    def __init__(
        self, name: str = "", clock: Clock = local_now, patience: Patience | None = None
    ) -> None:
        self._name = name
        self._clock = clock
        self._patience = patience or Patience(name or "the workbook")
        self._open: OpenBook | None = None

    def capabilities(self) -> Capabilities:
        """Live cells and, on Windows, charts; no images of ours."""
        return Capabilities(kind="excel", charts=True, images=False, live=True)

    @property
    def path(self) -> Path | None:
        """The workbook's file on this computer; None while it was never saved to one."""
        return self._book().path()

    @property
    def address(self) -> str:
        """What finds this workbook again, also when another one is active."""
        return PREFIX + self._book().where

    def snapshot(self, names: Sequence[str] | None = None) -> Snapshot:
        """Read the named sheets (all when None) as Excel shows them now.

        An owned sheet that the planner renamed is found under its name in plans.
        """
        book = self._book()
        state = book.look(names)
        shown = {name: name for name in state.pages}
        if names is not None:
            shown = {name: name for name in names if name in state.pages}
            followed = {n: p.sheet for n, p in state.places.items() if n in names}
            shown = followed | shown
        sheets = {
            name: SheetCells(sheet, state.cells[sheet].values, state.pages[sheet].hidden)
            for name, sheet in shown.items()
        }
        return Snapshot(book.where, sheets, tuple(state.pages), state.fingerprint)

    def obstacles(
        self, new: Sequence[SheetTemplate], whole: Sequence[SheetTemplate] = ()
    ) -> dict[str, str]:
        """No settings are added while the planner has the workbook open."""
        return {sheet.table: "the workbook is open in Excel" for sheet in (*new, *whole)}

    def prepare(self, plan: WritePlan, expect: str) -> PreparedExcel:
        """Check everything and work out every cell; nothing is written yet."""
        check_plan(plan)
        book = self._book()
        state = book.look(None)
        if state.fingerprint != expect:
            raise changed(book.where)
        writes = _writes(book, state, plan)
        marker = hashlib.sha256((expect + repr(plan)).encode("utf-8", "replace")).hexdigest()[:32]
        return PreparedExcel(
            book=book,
            state=state,
            writes=writes,
            manifest=_new_manifest(state, writes).with_schema(plan.settings_schema),
            marker=marker,
            before=expect,
            after=fingerprint(state.planner, marker),
            clock=self._clock,
        )

    def commit(self, plan: WritePlan, expect: str) -> Receipt:
        """Prepare and switch: all or nothing, as far as Excel allows."""
        return self.prepare(plan, expect).switch()

    def put_back(self, expect: str) -> Path:
        """Undo the last write, if the workbook is as it left it; returns where that is kept."""
        kept = put_back(self._book(), expect, self._clock)
        self._open = None
        return kept

    def _book(self) -> OpenBook:
        if self._open is None:
            book = find_book(self._name, self._patience)
            where = self._patience(lambda: str(book.name))
            self._open = OpenBook(book, replace(self._patience, where=where))
        return self._open


@dataclass(frozen=True)
class PreparedExcel:
    """Every cell that will be written, and what stands there now."""

    book: OpenBook
    state: State
    writes: tuple[SheetWrite, ...]
    manifest: Manifest
    marker: str
    before: str
    after: str
    clock: Clock

    def switch(self) -> Receipt:
        """Write, after checking that nobody changed the workbook; put all back on any error."""
        book = self.book
        self._refuse_changes()
        with quiet(book.app(), book.do):
            backup = self._back_up()
            links: dict[str, Mapping[Spot, Target]] = {}
            active = book.active_sheet()
            try:
                self._write(links, Path(backup).name)
            except BaseException as error:
                self._put_back(links, error)
                raise
            finally:
                with contextlib.suppress(WorkbookRefused):
                    book.activate(active)
        added = tuple(write.sheet.sheet for write in self.writes if write.place is None)
        written = tuple(write.sheet.sheet for write in self.writes)
        return Receipt(self.after, backup, written, added)

    def discard(self) -> None:
        """Nothing to remove: nothing was written."""

    def _refuse_changes(self) -> None:
        now = self.book.look(None)
        ours = all(
            same(write.old, now.cells[write.shown_as].contents)
            for write in self.writes
            if write.place is not None and write.shown_as in now.cells
        )
        if (
            now.fingerprint != self.before
            or not ours
            or now.places.keys() != self.state.places.keys()
        ):
            raise changed(self.book.where)

    def _write(self, links: dict[str, Mapping[Spot, Target]], backup: str) -> None:
        book = self.book
        # First what is ours, so that sheets left half made by a power cut are known as ours.
        self._write_manifest(self.state.marker, backup)
        pages = dict(self.state.pages)
        for write in self.writes:
            if write.place is None:
                pages[write.shown_as] = book.add_sheet(write.sheet.sheet)
            else:
                links[write.shown_as] = pages[write.shown_as].links()
            apply_write(pages[write.shown_as], write)
        # Last the mark: only a complete write has the fingerprint that was promised.
        self._write_manifest(self.marker, backup)
        for write in self.writes:
            # The figures are all there; what Excel does not let us draw beside them is left out.
            with contextlib.suppress(WorkbookRefused, AttributeError):
                decorate(pages[write.shown_as], write)

    def _put_back(self, links: Mapping[str, Mapping[Spot, Target]], error: BaseException) -> None:
        try:
            for write in reversed(self.writes):
                if write.place is None:
                    self.book.delete_sheet(write.sheet.sheet)
                elif write.shown_as in links:
                    undo_write(self.state.pages[write.shown_as], write, links[write.shown_as])
            self._restore_manifest()
        except WorkbookRefused as second:
            raise WorkbookRefused(
                f"Writing to {self.book.where} failed, and so did putting its result sheets back",
                found=f"{error}; then: {second.cause}",
                fix="Close the workbook without saving, open it and run again; the folder backups "
                "holds it as it was",
            ) from error

    def _write_manifest(self, marker: str, backup: str) -> None:
        marks = ((MARKER, marker), (BACKUP, backup))
        rows = replace(self.manifest, others=(*self.manifest.others, *marks)).rows()
        wanted = {
            (row, column): Content(value)
            for row, pair in enumerate(rows, start=1)
            for column, value in enumerate(pair, start=1)
            if value is not None
        }
        page = self.book.manifest_page(create=True)
        if page is not None:
            page.put(changes(page.read().contents, wanted))

    def _restore_manifest(self) -> None:
        old = self.state.cells.get(MANIFEST_SHEET)
        page = self.book.manifest_page(create=False)
        if page is None:
            return
        if old is None:
            self.book.delete_sheet(MANIFEST_SHEET)
        else:
            page.put(changes(page.read().contents, old.contents))

    def _back_up(self) -> str:
        """A copy of the workbook as it is in Excel now; none of one that was never saved."""
        path = self.book.path()
        if path is None:
            return ""
        try:
            backup = backup_path(path, self.clock())
            self.book.save_copy(backup)
        except OSError as error:
            raise explained(error, path.name) from error
        forget_old_backups(path)
        return str(backup)


def _writes(book: OpenBook, state: State, plan: WritePlan) -> tuple[SheetWrite, ...]:
    """Every sheet's new content, or the refusal of what could not be written."""
    folder = (book.path() or Path("x")).parent
    renamed = {n: p.sheet for n, p in state.places.items() if p.sheet != n}
    taken = {name.casefold(): name for name in state.pages}
    used = book.names()
    writes = []
    for sheet in plan.sheets:
        place = state.places.get(sheet.sheet)
        if place is None and sheet.sheet.casefold() in taken:
            raise foreign_sheet(book.where, taken[sheet.sheet.casefold()])
        table = state.tables.get(sheet.table_name.casefold())
        if table is not None and not (place and place.table == table):
            raise foreign_table(book.where, table.name, table.sheet)
        if sheet.table_name.casefold() in used:
            raise foreign_name(book.where, sheet.table_name)
        writes.append(_write(book, state, sheet, place, folder, renamed))
    _refuse_protected(book, state, writes)
    return tuple(writes)


def _write(
    book: OpenBook,
    state: State,
    sheet: Any,
    place: Place | None,
    folder: Path,
    renamed: Mapping[str, str],
) -> SheetWrite:
    if place is None:
        return plan_write(sheet, None, state.nothing, (), folder, renamed)
    others = [t for t in state.tables.values() if t.sheet == place.sheet and t != place.table]
    cells = state.cells[place.sheet]
    merged = state.pages[place.sheet].merged(cells.contents)
    solid = [spot.area for spot in others] + [Area(*spot, *spot) for spot in sorted(merged)]
    write = plan_write(sheet, place, cells, solid, folder, renamed)
    refuse_overlap(write, others, book.where)
    return write


def _refuse_protected(book: OpenBook, state: State, writes: Sequence[SheetWrite]) -> None:
    locked = [w.shown_as for w in writes if w.place and state.pages[w.shown_as].protected]
    manifest = state.pages.get(MANIFEST_SHEET)
    if manifest is not None and manifest.protected:
        locked.append(MANIFEST_SHEET)
    if locked:
        raise WorkbookRefused(
            f"FleetDesk's sheets in {book.where} are protected, so nothing was written",
            found=", ".join(locked),
            fix="Unprotect them (Excel: Review, Unprotect Sheet) and run again",
        )
    grows = manifest is None or any(write.place is None for write in writes)
    if grows and book.structure_locked():
        raise WorkbookRefused(
            f"The structure of {book.where} is protected, so FleetDesk cannot add its sheets",
            fix="Unprotect it (Excel: Review, Protect Workbook) and run again",
        )


def _new_manifest(state: State, writes: Sequence[SheetWrite]) -> Manifest:
    records = dict(state.manifest.owned)
    for write in writes:
        sheet = write.sheet
        headers = tuple(column.header for column in sheet.columns)
        records[sheet.sheet] = OwnedSheet(
            sheet.sheet, sheet.table_name, headers, write.shown_as, write.area.ref
        )
    others = tuple(row for row in state.manifest.others if row[0] not in (MARKER, BACKUP))
    return Manifest(records, others)
