"""One owned sheet written anew: its cells, and the parts that belong to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fleetdesk.sheets.a1 import Area, address
from fleetdesk.sheets.base import Link, ResultSheet
from fleetdesk.sheets.layout import (
    KEPT_LABEL,
    Arrangement,
    OldSheet,
    PlannerCell,
    arrange,
    key_text,
)
from fleetdesk.sheets.links import MAX_PER_SHEET, Target, resolve
from fleetdesk.sheets.owned import Found, Ownership, refuse_overlap
from fleetdesk.sheets.package_zip import Content
from fleetdesk.sheets.parts import (
    Book,
    Relationship,
    relationship_xml,
    relationships_of,
    relationships_part,
    rels_name,
)
from fleetdesk.sheets.planner_cells import CalculatedColumns, drawn, ready_cells
from fleetdesk.sheets.reading import Reader
from fleetdesk.sheets.sheet_scan import RawCell, Scan, scan_sheet
from fleetdesk.sheets.sheet_xml import (
    SheetContent,
    SheetFrame,
    blank_sheet,
    columns_xml,
    frame,
    put_element,
    rows_xml,
)
from fleetdesk.sheets.styles import Look
from fleetdesk.sheets.tables import new_table, planner_columns, rewritten_table
from fleetdesk.sheets.values import text_xml
from fleetdesk.sheets.xml_spans import Edit, Node, append_child, apply, as_utf8, parse

HEADER_ROW = 4


@dataclass(frozen=True)
class Surroundings:
    """What all owned sheets of one write share."""

    book: Book
    reader: Reader
    ownership: Ownership
    folder: Path
    looks: Mapping[Look, int]


@dataclass(frozen=True)
class Rewritten:
    """The parts of one owned sheet; `table_part` is set when the table is new."""

    part: str
    changes: dict[str, Content]
    area: Area
    table_part: str | None
    lost_formula: bool


def rewrite_sheet(
    around: Surroundings,
    sheet: ResultSheet,
    found: Found | None,
    part: str,
    table_part: str,
    table_id: int,
) -> Rewritten:
    """Build the sheet's parts: an owned sheet that is there keeps what the planner did to it."""
    book = around.book
    links = _links(sheet)
    if found is None:
        area = _area(HEADER_ROW, 1, HEADER_ROW + max(len(sheet.rows), 1), len(sheet.columns))
        content = SheetContent(sheet, area, area.bottom, around.looks, book.date1904)
        skeleton = blank_sheet(book.main_namespace, sheet, area)
        scan, plan, old, extra = None, None, None, {}
        old_area: Area | None = None
    else:
        old_area = found.area
        scan, old = _old_sheet(around, sheet, found)
        calculated = CalculatedColumns(found.table, old)
        plan = arrange(old, sheet)
        headers = [column.header for column in sheet.columns]
        table = found.table
        extra = planner_columns(table, found.record.headers, headers) if table else {}
        body = _area(plan.top, plan.left, plan.last, len(headers))
        refuse_overlap(book, found, around.ownership, body)
        area = replace(body, bottom=plan.bottom, right=body.right + len(extra))
        prefix = parse(scan.skeleton, part).prefix
        cells, broken = ready_cells(plan, prefix, extra, calculated)
        plan.displaced_formulas |= broken
        content = SheetContent(
            sheet, body, plan.last, around.looks, book.date1904, cells,
            {row: attrs for row, attrs in scan.rows.items() if row < plan.top or row > plan.last},
            plan.label_row, plan.kept_keys,
        )  # fmt: skip
        skeleton = scan.skeleton
    relations = _SheetRelations(book, part)
    targets = _targets(around, links, content.area)
    changes: dict[str, Content] = {}
    new_table_part = None
    if found is None or found.table is None:
        new_table_part = table_part
        table_link = relations.add("table", "/" + table_part, False)
        headers = [column.header for column in sheet.columns]
        changes[table_part] = new_table(
            book.main_namespace, table_id, sheet.table_name, headers, area
        )
    else:
        table_link = None
        headers = [column.header for column in sheet.columns]
        changes[found.table.part] = rewritten_table(found.table, headers, extra, area)

    def edits(root: Node) -> list[Edit]:
        made = [_dimension(root, content)]
        columns = _columns(root, content, old, plan)
        made += [columns] if columns else []
        made += _merges(root, content.area)
        made += _filter(root, content.area)
        made.append(
            _hyperlinks(root, skeleton, book, relations, targets, content.area, old_area, plan)
        )
        if table_link is not None:
            made.append(_table_parts(root, book, table_link))
        return made

    whole = frame(skeleton, part, edits)
    changes[part] = _stream(whole, content)
    changes |= relations.changes()
    lost = bool(scan and scan.lost_formula) or bool(plan and plan.displaced_formulas)
    return Rewritten(part, changes, area, new_table_part, lost)


def _stream(whole: SheetFrame, content: SheetContent) -> Content:
    return lambda write: whole.write(rows_xml(content, whole.prefix), write)


def _links(sheet: ResultSheet) -> list[tuple[int, int, Link]]:
    """(row offset, column offset, link) of every link, in reading order."""
    return [
        (row, column, value)
        for row, values in enumerate(sheet.rows)
        for column, value in enumerate(values)
        if type(value) is Link
    ]


def _targets(
    around: Surroundings, links: Sequence[tuple[int, int, Link]], area: Area
) -> list[tuple[str, Target]]:
    found = []
    for row, column, link in links[:MAX_PER_SHEET]:
        target = resolve(link.target, around.folder, around.ownership.renamed)
        if target is not None:
            found.append((address(area.top + 1 + row, area.left + column), target))
    return found


def _old_sheet(
    around: Surroundings, sheet: ResultSheet, found: Found
) -> tuple[Scan, OldSheet[RawCell]]:
    """The owned sheet as it stands, with the planner's cells told from ours."""
    area, table = found.area, found.table
    totals = bool(table and table.totals)
    last = area.bottom - (table.totals if table else 0)
    by_header = {header: column for column, header in found.columns.items()}
    ours = {(area.top - 3, area.left), (area.top - 2, area.left)}
    book = around.book
    with book.package.open(found.entry.part) as stream:
        scan = scan_sheet(
            stream, f"{book.package.where} ({found.entry.name})",
            replace(area, bottom=last), found.columns, by_header.get(sheet.key or ""), ours,
        )  # fmt: skip
    old: OldSheet[RawCell] = OldSheet(
        top=area.top,
        left=area.left,
        last=last,
        owned=found.columns,
        totals=totals,
        table_columns=tuple(
            column for column in range(area.left, area.right + 1) if column not in found.columns
        )
        if table
        else (),
    )
    where = f"{book.package.where} ({found.entry.name})"

    def read(cell: RawCell) -> str:
        return key_text(around.reader.value(cell.kind, cell.style, cell.text, where))

    old.keys = {row: read(cell) for row, cell in scan.keys.items()}
    new_body = _area(
        area.top, area.left, area.top + max(len(sheet.rows), 1), len(sheet.columns)
    )
    solid = _solid_areas(scan, around, found, new_body)
    block = next(
        (c.row for c in scan.cells
         if c.column == area.left and c.row > last and c.text and read(c) == KEPT_LABEL),
        None,
    )  # fmt: skip
    in_block = _block_rows(scan.cells, block)
    entries: dict[int, tuple[str, list[tuple[int, RawCell]]]] = {row: ("", []) for row in in_block}
    for cell in scan.cells:
        at_left = cell.column == area.left
        if cell.row == block and at_left:
            continue
        if at_left and cell.row < area.top and cell.text and read(cell) in (
            sheet.title, sheet.note
        ):  # fmt: skip
            continue
        if cell.row in entries:
            key, cells = entries[cell.row]
            if at_left:
                entries[cell.row] = (read(cell), cells)
            else:
                cells.append((cell.column, cell))
            continue
        pinned = any(area.holds(cell.row, cell.column) for area in solid)
        empty = not cell.inner.strip()
        old.cells.append(
            PlannerCell(cell.row, cell.column, cell, cell.formula is not None, pinned, empty)
        )
    old.kept = [entry for _, entry in sorted(entries.items()) if entry[1]]
    return scan, old


def _block_rows(cells: Sequence[RawCell], label: int | None) -> list[int]:
    """The rows of the kept block: those under its label up to the first empty one."""
    if label is None:
        return []
    filled = {cell.row for cell in cells if cell.inner.strip()}
    rows = []
    row = label + 1
    while row in filled:
        rows.append(row)
        row += 1
    return rows


def _solid_areas(scan: Scan, around: Surroundings, found: Found, body: Area) -> list[Area]:
    """Areas whose cells must stay together: the planner's tables and merged cells."""
    areas = refuse_overlap(around.book, found, around.ownership, body)
    merges = parse(scan.skeleton, found.entry.part).child("mergeCells")
    for node in merges.children if merges else []:
        area = Area.parse(node.get("ref"))
        if area is not None and not area.meets(body):
            areas.append(area)
    return areas


def _area(top: int, left: int, bottom: int, width: int) -> Area:
    return Area(top, left, bottom, left + width - 1)


def _dimension(root: Node, content: SheetContent) -> Edit:
    area = content.area
    columns = [c for cells in content.planner.values() for c, _ in cells]
    rows = [*content.planner, *content.kept_keys]
    used = Area(
        1, min([1, *columns]), max([content.last, *rows]), max([area.right, *columns])
    )
    return put_element(
        root, "dimension", f'<{root.prefix}dimension ref="{used.ref}"/>'.encode()
    )


def _columns(
    root: Node,
    content: SheetContent,
    old: OldSheet[RawCell] | None,
    plan: Arrangement[RawCell] | None,
) -> Edit | None:
    owned = old.owned if old else {}
    moved = plan.columns if plan else {}
    left = content.area.left
    headers = [column.header for column in content.sheet.columns]
    same = {left + index: header for index, header in enumerate(headers)} == owned
    if same and not moved:
        return None
    xml = columns_xml(root.prefix, content.sheet, left, root.child("cols"), owned, moved)
    return put_element(root, "cols", xml)


def _merges(root: Node, body: Area) -> list[Edit]:
    node = root.child("mergeCells")
    if node is None:
        return []
    areas = [Area.parse(child.get("ref")) for child in node.children]
    if not any(area and area.meets(body) for area in areas):
        return []
    kept = [area for area in areas if area and not area.meets(body)]
    p = root.prefix
    inner = "".join(f'<{p}mergeCell ref="{area.ref}"/>' for area in kept)
    xml = f'<{p}mergeCells count="{len(kept)}">{inner}</{p}mergeCells>' if kept else ""
    return [(node.start, node.end, xml.encode())]


def _filter(root: Node, body: Area) -> list[Edit]:
    node = root.child("autoFilter")
    area = Area.parse(node.get("ref")) if node else None
    return [(node.start, node.end, b"")] if node and area and area.meets(body) else []


def _hyperlinks(
    root: Node,
    skeleton: bytes,
    book: Book,
    relations: _SheetRelations,
    targets: Sequence[tuple[str, Target]],
    body: Area,
    old_area: Area | None,
    plan: Arrangement[RawCell] | None,
) -> Edit:
    """The planner's links, moved with their cells, then ours."""
    node = root.child("hyperlinks")
    moved = drawn(plan)
    p = root.prefix
    kept: list[bytes] = []
    for child in node.children if node else []:
        area = Area.parse(child.get("ref"))
        own = area is not None and (
            body.meets(area)
            or (old_area is not None and plan is not None and _was_ours(area, old_area, moved))
        )
        new = moved.get((area.top, area.left)) if area else None
        if own and not new:
            relations.drop(child.get("id"))
            continue
        raw = skeleton[child.start : child.end]
        if new and area and area.ref == address(area.top, area.left):
            raw = raw.replace(f'ref="{area.ref}"'.encode(), f'ref="{address(*new)}"'.encode(), 1)
        kept.append(raw)
    r = root.namespace("/relationships")
    declare = "" if r else f' xmlns:r="{book.relation_namespace}"'
    for ref, target in targets:
        if target.outside:
            link = relations.add("hyperlink", target.outside, True)
            kept.append(f'<{p}hyperlink{declare} ref="{ref}" {r or "r:"}id="{link}"/>'.encode())
        else:
            location = _attribute(target.inside)
            kept.append(f'<{p}hyperlink ref="{ref}" location={location}/>'.encode())
    xml = b"".join(kept)
    whole = f"<{p}hyperlinks>".encode() + xml + f"</{p}hyperlinks>".encode() if kept else b""
    return put_element(root, "hyperlinks", whole)


def _was_ours(
    area: Area, old_area: Area, moved: Mapping[tuple[int, int], tuple[int, int]]
) -> bool:
    return old_area.meets(area) and (area.top, area.left) not in moved


def _attribute(text: str) -> str:
    return '"' + text_xml(text)[0].replace('"', "&quot;") + '"'


def _table_parts(root: Node, book: Book, link: str) -> Edit:
    r = root.namespace("/relationships")
    declare = "" if r else f' xmlns:r="{book.relation_namespace}"'
    p = root.prefix
    part = f'<{p}tablePart{declare} {r or "r:"}id="{link}"/>'.encode()
    old = root.child("tableParts")
    if old is not None:
        return append_child(old, part)
    return put_element(
        root,
        "tableParts",
        f'<{p}tableParts count="1">'.encode() + part + f"</{p}tableParts>".encode(),
    )


class _SheetRelations:
    """The arrows of one sheet: some dropped, some added, the rest byte for byte."""

    def __init__(self, book: Book, part: str) -> None:
        self.book = book
        self.name = book.package.stored_name(rels_name(part))
        self.existing: tuple[Relationship, ...] = relationships_of(book.package, part)
        self.used = {relationship.id for relationship in self.existing}
        self.dropped: set[str] = set()
        self.added: dict[tuple[str, str, bool], str] = {}

    def add(self, kind: str, target: str, external: bool) -> str:
        item = (kind, target, external)
        if item not in self.added:
            stem = "fd"
            number = len(self.added) + 1
            while f"{stem}{number}" in self.used:
                number += 1
            self.added[item] = f"{stem}{number}"
            self.used.add(f"{stem}{number}")
        return self.added[item]

    def drop(self, id_: str) -> None:
        self.dropped.add(id_)

    def changes(self) -> dict[str, Content]:
        gone = [r for r in self.existing if r.id in self.dropped and r.kind == "hyperlink"]
        if not gone and not self.added:
            return {}
        items = [(id_, *item) for item, id_ in self.added.items()]
        if not self.book.package.has(self.name):
            return {self.name: relationships_part(relationship_xml(self.book, "", items))}
        xml = as_utf8(self.book.package.part(self.name))
        root = parse(xml, self.name)
        edits: list[Edit] = [(r.node.start, r.node.end, b"") for r in gone]
        if items:
            edits.append(append_child(root, relationship_xml(self.book, root.prefix, items)))
        return {self.name: apply(xml, edits)}
