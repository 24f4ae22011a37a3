"""One owned sheet written anew: its cells, and the parts that belong to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from fleetdesk.sheets.a1 import Area, rectangle
from fleetdesk.sheets.base import ResultSheet
from fleetdesk.sheets.choices import dropdowns
from fleetdesk.sheets.layout import Arrangement, OldSheet, arrange
from fleetdesk.sheets.old_sheet import read_old_sheet
from fleetdesk.sheets.owned import Found, Ownership, refuse_overlap
from fleetdesk.sheets.package_zip import Content
from fleetdesk.sheets.parts import Book
from fleetdesk.sheets.plan_check import links_of
from fleetdesk.sheets.planner_cells import CalculatedColumns, ready_cells
from fleetdesk.sheets.reading import Reader
from fleetdesk.sheets.sheet_drawings import Drawn, FreePart, draw
from fleetdesk.sheets.sheet_frame import SheetFrame, blank_sheet, columns_xml, frame, put_element
from fleetdesk.sheets.sheet_links import SheetRelations, hyperlinks, targets_of
from fleetdesk.sheets.sheet_rows import SheetContent, rows_xml
from fleetdesk.sheets.sheet_scan import RawCell
from fleetdesk.sheets.styles import Styles
from fleetdesk.sheets.tables import new_table, planner_columns, rewritten_table
from fleetdesk.sheets.xml_spans import Edit, Node, append_child, parse

HEADER_ROW = 4
Rules = Callable[[Area, str], bytes]
_PAGE_ROWS = 45
"""A sheet with charts and no more rows than this is printed on one page."""
_PAGE_WIDTH = 220
"""Characters that one page of A4 across shows in letters that can still be read."""
_MOST_REPEATED = 3


@dataclass(frozen=True)
class Surroundings:
    """What all owned sheets of one write share."""

    book: Book
    reader: Reader
    ownership: Ownership
    folder: Path
    styles: Styles


@dataclass(frozen=True)
class Rewritten:
    """The parts of one owned sheet; `table_part` is set when the table is new."""

    part: str
    changes: dict[str, Content]
    area: Area
    table_part: str | None
    lost_formula: bool
    drawn: Drawn


def rewrite_sheet(
    around: Surroundings,
    sheet: ResultSheet,
    found: Found | None,
    part: str,
    table_part: str,
    table_id: int,
    free_part: FreePart,
    rules: Rules | None = None,
) -> Rewritten:
    """Build the sheet's parts: an owned sheet that is there keeps what the planner did to it.

    `rules` say what may be typed into the table's cells, where the columns do not say it.
    """
    book = around.book
    links = links_of(sheet)
    if found is None:
        area = rectangle(HEADER_ROW, 1, HEADER_ROW + max(len(sheet.rows), 1), len(sheet.columns))
        content = SheetContent(sheet, area, area.bottom, around.styles.index, book.date1904)
        one_page = bool(sheet.charts) and 0 < len(sheet.rows) <= _PAGE_ROWS
        skeleton = blank_sheet(book.main_namespace, area, one_page, _pages_wide(sheet))
        scan, plan, old, extra = None, None, None, {}
        old_area: Area | None = None
    else:
        old_area = found.area
        scan, old = read_old_sheet(
            book, around.reader, around.ownership, sheet, found, around.styles.painted
        )
        calculated = CalculatedColumns(found.table, old)
        plan = arrange(old, sheet)
        headers = [column.header for column in sheet.columns]
        table = found.table
        extra = planner_columns(table.headers, found.record.headers, headers) if table else {}
        body = rectangle(plan.top, plan.left, plan.last, len(headers))
        refuse_overlap(book, found, around.ownership, body)
        area = replace(body, bottom=plan.bottom, right=body.right + len(extra))
        prefix = parse(scan.skeleton, part).prefix
        cells, broken = ready_cells(plan, prefix, extra, calculated)
        plan.displaced_formulas |= broken
        content = SheetContent(
            sheet, body, plan.last, around.styles.index, book.date1904, cells,
            {row: attrs for row, attrs in scan.rows.items() if row < plan.top or row > plan.last},
            plan.label_row, plan.kept_keys, _paints(plan, around.styles),
        )  # fmt: skip
        skeleton = scan.skeleton
    relations = SheetRelations(book, part)
    targets = targets_of(links, content.area, around.folder, around.ownership.renamed)
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

    drawn = draw(
        book, sheet, found.record.drawings if found else (), parse(skeleton, part), relations,
        found.entry.name if found else sheet.sheet, content.area, _filled(content, area), free_part,
    )  # fmt: skip
    changes |= drawn.changes

    def edits(root: Node) -> list[Edit]:
        made = [_dimension(root, content)]
        columns = _columns(root, content, old, plan)
        made += [columns] if columns else []
        made += _merges(root, content.area)
        made += _filter(root, content.area)
        choices = dropdowns(root, skeleton, sheet, content.area)
        made += [choices] if choices else []
        if rules is not None:
            made.append(put_element(root, "dataValidations", rules(content.area, root.prefix)))
        made.append(
            hyperlinks(root, skeleton, book, relations, targets, content.area, old_area, plan)
        )
        # Edits at one place keep this order, which is the schema's.
        if drawn.link is not None:
            made.append(_drawing(root, book, drawn.link))
        if table_link is not None:
            made.append(_table_parts(root, book, table_link))
        return made

    whole = frame(skeleton, part, edits)
    changes[part] = _stream(whole, content)
    changes |= relations.changes()
    lost = bool(scan and scan.lost_formula) or bool(plan and plan.displaced_formulas)
    return Rewritten(part, changes, area, new_table_part, lost, drawn)


def _paints(plan: Arrangement[RawCell], styles: Styles) -> dict[int, dict[int, dict[int, int]]]:
    """By row and column of our cells that a planner painted: what each look becomes."""
    paints = {style: styles.paint(style) for style in sorted(set(plan.painted.values()))}
    found: dict[int, dict[int, dict[int, int]]] = {}
    for (row, column), style in plan.painted.items():
        found.setdefault(row, {})[column] = paints[style]
    return found


def repeated_columns(sheet: ResultSheet) -> int:
    """How many of the first columns are printed on every page, so that rows can be matched there.

    Those up to the key, if it is among the first; none where all columns are on one page.
    """
    if _pages_wide(sheet) == 1:
        return 0
    first = [column.header for column in sheet.columns[:_MOST_REPEATED]]
    return first.index(sheet.key) + 1 if sheet.key in first else 2


def _pages_wide(sheet: ResultSheet) -> int:
    """How many pages a wide table takes beside each other; charts stand on one with theirs."""
    if sheet.charts or sheet.images:
        return 1
    return 2 if sum(column.width for column in sheet.columns) > _PAGE_WIDTH else 1


def _stream(whole: SheetFrame, content: SheetContent) -> Content:
    return lambda write: whole.write(rows_xml(content, whole.prefix), write)


def _filled(content: SheetContent, table: Area) -> list[Area]:
    """What else is on the sheet: planner's columns of the table, their cells, kept notes."""
    places = [table]
    for row, cells in content.planner.items():
        places += [Area(row, column, row, column) for column, xml in cells if xml[-2:] != b"/>"]
    left = content.area.left
    return [*places, *(Area(row, left, row, left) for row in content.kept_keys)]


def _drawing(root: Node, book: Book, link: str) -> Edit:
    r = root.namespace("/relationships")
    declare = "" if r else f' xmlns:r="{book.relation_namespace}"'
    xml = f'<{root.prefix}drawing{declare} {r or "r:"}id="{link}"/>'
    return put_element(root, "drawing", xml.encode())


def _dimension(root: Node, content: SheetContent) -> Edit:
    area = content.area
    columns = [c for cells in content.planner.values() for c, _ in cells]
    rows = [*content.planner, *content.kept_keys]
    used = Area(1, min([1, *columns]), max([content.last, *rows]), max([area.right, *columns]))
    return put_element(root, "dimension", f'<{root.prefix}dimension ref="{used.ref}"/>'.encode())


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
