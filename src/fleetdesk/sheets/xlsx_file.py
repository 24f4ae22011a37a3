"""A planner's workbook in a file: read whole, written by replacing only what FleetDesk owns.

Every part that is not ours is copied as it is stored, byte for byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from fleetdesk.errors import WorkbookRefused
from fleetdesk.model.sheet_template import Layout, SheetTemplate
from fleetdesk.sheets.a1 import Area
from fleetdesk.sheets.base import (
    MANIFEST_SHEET,
    Capabilities,
    Receipt,
    SheetCells,
    Snapshot,
    WritePlan,
)
from fleetdesk.sheets.file_switch import (
    Clock,
    PreparedFile,
    changed,
    fingerprint_of,
    local_now,
    read_workbook,
    refuse_if_locked,
    write_beside,
)
from fleetdesk.sheets.manifest import Manifest
from fleetdesk.sheets.owned import Ownership, find_owned, new_record, refuse_foreign
from fleetdesk.sheets.package_zip import Content, Package, open_package, write_package
from fleetdesk.sheets.parts import (
    Book,
    open_book,
    package_targets,
    typed_parts,
)
from fleetdesk.sheets.plan_check import check_plan
from fleetdesk.sheets.reading import Reader
from fleetdesk.sheets.rewrite import HEADER_ROW, Surroundings, repeated_columns, rewrite_sheet
from fleetdesk.sheets.setting_columns import ColumnRoom, append_columns, find_columns
from fleetdesk.sheets.setting_room import Room, find_room
from fleetdesk.sheets.setting_rows import append_rows
from fleetdesk.sheets.setting_sheet import as_sheet, rules, value_names, whole_sheet_obstacle
from fleetdesk.sheets.sheet_frame import frame, hidden_sheet
from fleetdesk.sheets.sheet_rows import plain_rows
from fleetdesk.sheets.skeleton import NewSheet, SkeletonEdits, skeleton_changes
from fleetdesk.sheets.styles import Styles
from fleetdesk.sheets.xml_spans import as_utf8


class XlsxFile:
    """A workbook at a path; `clock` dates the backups."""

    def __init__(self, path: Path | str, clock: Clock = local_now) -> None:
        self.path = Path(path).resolve()
        self._clock = clock

    def capabilities(self) -> Capabilities:
        """A file: charts and pictures, but no live cells."""
        return Capabilities(kind="xlsx", charts=True, images=True, live=False)

    def snapshot(self, names: Sequence[str] | None = None) -> Snapshot:
        """Read the named sheets (all when None) as they are in the file now.

        An owned sheet that the planner renamed is found under its name in plans.
        """
        data = read_workbook(self.path)
        book = open_book(open_package(data, self.path.name))
        reader = Reader(book)
        wanted = {sheet.name: sheet for sheet in book.sheets}
        if names is not None:
            missing = [name for name in names if book.sheet(name) is None]
            found = find_owned(book, reader).found if missing else {}
            wanted = {}
            for name in names:
                entry = book.sheet(name)
                if entry is not None:
                    wanted[name] = entry
                elif name in found:
                    wanted[name] = found[name].entry
        sheets: dict[str, SheetCells] = {}
        uncomputed: dict[str, tuple[str, ...]] = {}
        for name, entry in wanted.items():
            if entry.kind != "worksheet" or not entry.part:
                continue
            cells, without = reader.sheet(entry.part)
            sheets[name] = SheetCells(entry.name, cells, entry.hidden)
            if without:
                uncomputed[name] = without
        return Snapshot(
            where=self.path.name,
            sheets=sheets,
            sheet_names=tuple(sheet.name for sheet in book.sheets),
            fingerprint=fingerprint_of(data),
            uncomputed=uncomputed,
        )

    def obstacles(
        self, new: Sequence[SheetTemplate], whole: Sequence[SheetTemplate] = ()
    ) -> dict[str, str]:
        """Why new settings cannot be added, by table; the others can be."""
        book = open_book(open_package(read_workbook(self.path), self.path.name))
        ownership = find_owned(book, Reader(book))
        found = {sheet.table: _room(book, ownership, sheet) for sheet in new}
        taken = {sheet.table: whole_sheet_obstacle(book, ownership, sheet) for sheet in whole}
        told = [*found.items(), *taken.items()]
        return {table: why for table, why in told if isinstance(why, str) and why}

    def prepare(self, plan: WritePlan, expect: str) -> PreparedFile:
        """Write the whole new workbook beside the old one; the old one is not touched."""
        check_plan(plan)
        refuse_if_locked(self.path)
        data = read_workbook(self.path)
        if fingerprint_of(data) != expect:
            raise changed(self.path.name)
        package = open_package(data, self.path.name)
        changes, added = _changes(package, plan, self.path.parent)
        temporary = write_beside(self.path, lambda out: write_package(package, out, changes))
        return PreparedFile(
            path=self.path,
            temporary=temporary,
            before=expect,
            after=fingerprint_of(temporary.read_bytes()),
            written=tuple(sheet.sheet for sheet in plan.sheets),
            added=added,
            clock=self._clock,
        )

    def commit(self, plan: WritePlan, expect: str) -> Receipt:
        """Prepare and switch: all or nothing."""
        prepared = self.prepare(plan, expect)
        try:
            return prepared.switch()
        except WorkbookRefused:
            prepared.discard()
            raise


def _changes(
    package: Package, plan: WritePlan, folder: Path
) -> tuple[dict[str, Content], tuple[str, ...]]:
    """Every part that is replaced or added, and the names of added sheets."""
    book = open_book(package)
    reader = Reader(book)
    ownership = find_owned(book, reader)
    refuse_foreign(book, ownership, plan)
    changes: dict[str, Content] = {}
    edits = SkeletonEdits()
    styles_part = book.related("styles")
    old_styles = as_utf8(package.part(styles_part)) if styles_part else None
    styles = Styles(old_styles, book.main_namespace)
    if styles_part is None:
        styles_part = f"{book.folder}/styles.xml".lstrip("/")
        edits.parts.append((styles_part, "styles"))
    around = Surroundings(book, reader, ownership, folder, styles)
    names = _FreeNames(package, ownership)
    records = dict(ownership.manifest.owned)
    added: list[str] = []
    for sheet in plan.sheets:
        found = ownership.found.get(sheet.sheet)
        part = found.entry.part if found else names.part(f"{book.folder}/worksheets/sheet")
        table_part = names.part(f"{book.folder}/tables/table")
        done = rewrite_sheet(
            around, sheet, found, part, table_part, names.next_table_id, names.part
        )
        if found is None:
            added.append(sheet.sheet)
            repeated = repeated_columns(sheet)
            edits.sheets.append(NewSheet(sheet.sheet, part, heads=HEADER_ROW, repeated=repeated))
        if done.table_part:
            edits.tables.append(done.table_part)
            names.next_table_id += 1
        else:
            names.release(table_part)
        edits.drop_calc_chain |= done.lost_formula
        edits.added += done.drawn.added
        edits.removed += done.drawn.removed
        changes |= done.changes
        shown_as = found.entry.name if found else sheet.sheet
        records[sheet.sheet] = new_record(sheet, shown_as, done.area, done.drawn.record)
    if (xml := styles.xml) != old_styles:
        changes[package.stored_name(styles_part)] = xml
    manifest = Manifest(records, ownership.manifest.others).with_schema(plan.settings_schema)
    changes |= _manifest_sheet(book, ownership, manifest, edits, names)
    for new in plan.new_settings:
        changes |= _add_settings(book, ownership, new, old_styles, edits)
    for new in plan.new_sheets:
        part = names.part(f"{book.folder}/worksheets/sheet")
        table_part = names.part(f"{book.folder}/tables/table")
        made = rewrite_sheet(
            around, as_sheet(new), None, part, table_part, names.next_table_id, names.part,
            partial(_rules, new, book.date1904),
        )  # fmt: skip
        names.next_table_id += 1
        edits.sheets.append(NewSheet(new.sheet, part))
        edits.tables.append(table_part)
        edits.names += value_names(new, made.area)
        changes |= made.changes
    edits.relations += [n for n in changes if n.endswith(".rels") and not package.has(n)]
    changes |= skeleton_changes(book, edits)
    return changes, tuple(added)


def _add_settings(
    book: Book, ownership: Ownership, new: SheetTemplate, styles: bytes | None, edits: SkeletonEdits
) -> dict[str, Content]:
    room = _room(book, ownership, new)
    if isinstance(room, str):
        raise WorkbookRefused(
            f"New settings cannot be added to the sheet {new.sheet} of {book.package.where}",
            found=room,
            fix="Run again",
        )
    if isinstance(room, ColumnRoom):
        return dict(append_columns(room, new, styles, book.date1904))
    added = append_rows(room, new, styles, book.date1904, book.names)
    edits.names += added.names
    return dict(added.changes)


def _room(book: Book, ownership: Ownership, new: SheetTemplate) -> Room | ColumnRoom | str:
    find = find_room if new.layout is Layout.FORM else find_columns
    return find(book, ownership, new)


def _rules(new: SheetTemplate, date1904: bool, area: Area, prefix: str) -> bytes:
    return rules(new, area, prefix, date1904)


def _manifest_sheet(
    book: Book, ownership: Ownership, manifest: Manifest, edits: SkeletonEdits, names: _FreeNames
) -> dict[str, Content]:
    entry = ownership.entry
    if entry is not None and entry.part and entry.kind == "worksheet":
        part = entry.part
        skeleton = _without_rows(as_utf8(book.package.part(part)), part)
    else:
        part = names.part(f"{book.folder}/worksheets/sheet")
        skeleton = hidden_sheet(book.main_namespace)
        edits.sheets.append(NewSheet(MANIFEST_SHEET, part, "veryHidden"))
    whole = frame(skeleton, part, lambda _: [])
    rows = manifest.rows()
    return {part: lambda write: whole.write(plain_rows(rows, whole.prefix), write)}


def _without_rows(xml: bytes, part: str) -> bytes:
    whole = frame(xml, part, lambda _: [])
    return whole.head + whole.tail


class _FreeNames:
    """Part names and table numbers that nobody uses.

    A name that is only spoken of (an arrow into the void) is used: a new part of that name would
    become what the arrow means.
    """

    def __init__(self, package: Package, ownership: Ownership) -> None:
        self._package = package
        self._taken = {*typed_parts(package), *package_targets(package)}
        ids = [table.id for _, table in ownership.tables.values()]
        self.next_table_id = max(ids, default=0) + 1

    def part(self, stem: str, end: str = ".xml") -> str:
        """`xl/worksheets/sheet` -> the first free `xl/worksheets/sheet3.xml`."""
        stem = stem.lstrip("/")
        number = 1
        while self._uses(f"{stem}{number}{end}"):
            number += 1
        self._taken.add(f"{stem}{number}{end}".lower())
        return f"{stem}{number}{end}"

    def _uses(self, part: str) -> bool:
        return self._package.has(part) or part.lower() in self._taken

    def release(self, part: str) -> None:
        """Give a name back that was not needed."""
        self._taken.discard(part.lower())
