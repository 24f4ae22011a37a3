"""One owned sheet of a running Excel: what it is to hold, how it is written and put back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fleetdesk.sheets.a1 import Area, rectangle
from fleetdesk.sheets.base import NUMBERS, CellStyle, Link, ResultSheet, Value
from fleetdesk.sheets.choices import offered
from fleetdesk.sheets.claims import table_in_the_way
from fleetdesk.sheets.excel_charts import draw_charts
from fleetdesk.sheets.excel_page import Page, TableSpot
from fleetdesk.sheets.excel_values import Cells, Content, Contents, number_format, runs
from fleetdesk.sheets.layout import (
    KEPT_LABEL,
    Arrangement,
    OldSheet,
    PlannerCell,
    arrange,
    key_text,
)
from fleetdesk.sheets.links import MAX_PER_SHEET, Target, resolve
from fleetdesk.sheets.manifest import OwnedSheet
from fleetdesk.sheets.plan_check import links_of
from fleetdesk.sheets.tables import STYLE, planner_columns
from fleetdesk.sheets.values import clean

HEADER_ROW = 4
EMPTY = Content()

_TITLE = {"bold": True, "size": 16, "color": "#1F3A4D"}
_QUIET = {"italic": True, "size": 10, "color": "#5B6770"}
_HEADER = {"bold": True, "size": 11, "color": "#FFFFFF"}
_HEADER_FILL = "#1F5A6E"

Spot = tuple[int, int]


@dataclass(frozen=True)
class Place:
    """Where an owned sheet is now; `table` is None when the planner made it plain cells."""

    record: OwnedSheet
    sheet: str
    table: TableSpot | None
    area: Area
    columns: Mapping[int, str]

    @property
    def last(self) -> int:
        """The last row of data."""
        return self.table.last if self.table else self.area.bottom


@dataclass(frozen=True)
class SheetWrite:
    """An owned sheet as it is and as it is to be.

    `body` is header and data of the owned columns, `area` the whole table with the planner's
    columns; `moved` tells where their cells go; `headers` are the table's, ours first.
    """

    sheet: ResultSheet
    place: Place | None
    body: Area
    area: Area
    headers: tuple[str, ...]
    old: Contents
    new: Contents
    moved: Mapping[Spot, Spot]
    links: tuple[tuple[Spot, Target], ...]

    @property
    def shown_as(self) -> str:
        """What the sheet is called in the workbook."""
        return self.place.sheet if self.place else self.sheet.sheet


@dataclass(frozen=True, slots=True)
class _Note:
    """A planner's cell and where it stood."""

    spot: Spot
    content: Content


def plan_write(
    sheet: ResultSheet,
    place: Place | None,
    cells: Cells,
    solid: Sequence[Area],
    folder: Path,
    renamed: Mapping[str, str],
) -> SheetWrite:
    """The sheet's new content, with everything of the planner's in its place.

    `solid` are areas of the sheet whose cells must stay: the planner's own tables, merged cells.
    """
    headers = [column.header for column in sheet.columns]
    extra: dict[str, str] = {}
    old: OldSheet[_Note] = OldSheet(HEADER_ROW, 1, HEADER_ROW + 1, {})
    filled: dict[int, str] = {}
    if place is not None:
        old, filled = _old_sheet(sheet, place, cells.contents, solid)
        if place.table:
            extra = planner_columns(place.table.headers, place.record.headers, headers)
    plan = arrange(old, sheet)
    body = rectangle(plan.top, plan.left, plan.last, len(headers))
    new = _planner_contents(plan, extra)
    for column, formula in filled.items():
        target = plan.columns.get(column, column)
        for row in range(plan.top + 1, plan.last + 1):
            new.setdefault((row, target), Content(None, formula))
    new |= _our_contents(sheet, plan)
    links = []
    for row, column, link in links_of(sheet)[:MAX_PER_SHEET]:
        target_of_link = resolve(link.target, folder, renamed)
        if target_of_link is not None:
            links.append(((body.top + 1 + row, body.left + column), target_of_link))
    moved = {n.spot: spot for spot, n in plan.cells.items() if n.spot != spot}
    return SheetWrite(
        sheet=sheet,
        place=place,
        body=body,
        area=replace(body, right=body.right + len(extra)),
        headers=(*headers, *extra.values()),
        old=cells.contents if place else {},
        new=new,
        moved=moved,
        links=tuple(links),
    )


def refuse_overlap(write: SheetWrite, tables: Iterable[TableSpot], where: str) -> None:
    """Refuse when the new result would cover the planner's own table."""
    for spot in tables:
        if spot.area.meets(write.area):
            raise table_in_the_way(where, spot.sheet, spot.name, spot.area, write.area)


def apply_write(page: Page, write: SheetWrite) -> None:
    """Bring the sheet from old to new."""
    place, body = write.place, write.body
    table = place.table if place else None
    links = page.links() if place else {}
    for area in {place.area, body} if place else ():
        page.drop_links(area)
    if table:
        if table.totals:
            page.show_totals(table.name, False)
        _resize(page, table, write.headers, write.area)
    _set_formats(page, body, [c.style for c in write.sheet.columns], write.sheet.rows)
    page.put(_changes(write.old, write.new, body))
    if table is None:
        page.add_table(write.sheet.table_name, write.area, STYLE)
    elif table.totals:
        page.show_totals(table.name, True)
    _set_looks(page, write)
    for spot, target in write.links:
        page.link(spot, target)
    for spot, target in links.items():
        if spot in write.moved:
            page.link(write.moved[spot], target)


def decorate(page: Page, write: SheetWrite) -> None:
    """Charts and dropdowns, which go with the cells and are none."""
    body = write.body
    for index, column in enumerate(write.sheet.columns, start=body.left):
        if column.input:
            if write.place:
                before = write.place.area
                page.offer(Area(before.top + 1, index, before.bottom, index), None)
            page.offer(Area(body.top + 1, index, body.bottom, index), offered(column.choices))
    used = [column for (_, column) in write.new]
    draw_charts(page, write.sheet, body, max([write.area.right, *used]))


def undo_write(page: Page, write: SheetWrite, links: Mapping[Spot, Target]) -> None:
    """Put an owned sheet that was there back to what it held, however far the write had come."""
    place = write.place
    if place is None:
        return
    spots = {spot.name.casefold(): spot for spot in page.tables()}
    for area in {place.area, write.body}:
        page.drop_links(area)
    if place.table:
        now = spots.get(place.table.name.casefold())
        if now and now.totals:
            page.show_totals(now.name, False)
        if now:
            _resize(page, now, place.table.headers, replace(place.area, bottom=place.last))
    elif write.sheet.table_name.casefold() in spots:
        page.drop_table(write.sheet.table_name)
    styles = {column.header: column.style for column in write.sheet.columns}
    left, width = place.area.left, place.area.right - place.area.left + 1
    rows = [
        tuple(write.old.get((row, left + i), EMPTY).value for i in range(width))
        for row in range(place.area.top + 1, place.last + 1)
    ]
    columns = [styles.get(place.columns.get(left + i, ""), CellStyle.TEXT) for i in range(width)]
    if rows:
        _set_formats(page, replace(place.area, bottom=place.last), columns, rows)
    page.put(_changes(page.read().contents, write.old, None))
    if place.table and place.table.totals:
        page.show_totals(place.table.name, True)
    for spot, target in links.items():
        page.link(spot, target)


def same(one: Contents, other: Contents) -> bool:
    """Whether two readings hold the same; a formula's result may differ."""
    return one.keys() == other.keys() and all(
        _equal(content, other[spot]) for spot, content in one.items()
    )


def changes(old: Contents, new: Contents) -> dict[Spot, Content]:
    """The cells that must be written to come from old to new."""
    return _changes(old, new, None)


def _changes(old: Contents, new: Contents, whole: Area | None) -> dict[Spot, Content]:
    found = {
        spot: new.get(spot, EMPTY)
        for spot in old.keys() | new.keys()
        if not _equal(old.get(spot, EMPTY), new.get(spot, EMPTY))
    }
    if whole:
        # A whole block is one call, and its cells may have been left as text or dates before.
        found |= {
            (row, column): new.get((row, column), EMPTY)
            for row in range(whole.top, whole.bottom + 1)
            for column in range(whole.left, whole.right + 1)
        }
    return found


def _equal(one: Content, other: Content) -> bool:
    if one.formula or other.formula:
        return one.formula == other.formula
    return type(one.value) is type(other.value) and one.value == other.value


def _old_sheet(
    sheet: ResultSheet, place: Place, contents: Contents, solid: Sequence[Area]
) -> tuple[OldSheet[_Note], dict[int, str]]:
    """The sheet as the planner left it, and their columns of one formula for every row."""
    area, last = place.area, place.last
    inside = range(area.left, area.right + 1) if place.table else range(0)
    old: OldSheet[_Note] = OldSheet(
        area.top, area.left, last, place.columns,
        table_columns=tuple(c for c in inside if c not in place.columns),
    )  # fmt: skip
    filled = {c: f for c in old.table_columns if (f := _formula_of(contents, c, area.top, last))}
    key = next((c for c, header in place.columns.items() if header == sheet.key), 0)
    ours = {(area.top - 3, area.left), (area.top - 2, area.left)}
    label = next(
        (r for (r, c), content in sorted(contents.items())
         if c == area.left and r > last and content.value == KEPT_LABEL),
        None,
    )  # fmt: skip
    kept: dict[int, tuple[str, list[tuple[int, _Note]]]] = {
        row: (key_text(contents.get((row, area.left), EMPTY).value), [])
        for row in _block_rows(contents, label)
    }
    keys: dict[int, str] = {}
    for (row, column), content in sorted(contents.items()):
        in_data = area.top <= row <= last
        if in_data and column == key:
            keys[row] = key_text(content.value)
        totals = row == last + 1 and bool(place.table and place.table.totals) and column in inside
        title = (
            column == area.left and row < area.top and content.value in (sheet.title, sheet.note)
        )
        if (
            (in_data and column in place.columns)
            or (area.top < row <= last and column in filled and content.formula)
            or (row, column) in ours
            or totals
            or title
            or (row == label and column == area.left)
        ):
            continue
        note = _Note((row, column), content)
        if row in kept:
            if column != area.left:
                kept[row][1].append((column, note))
            continue
        pinned = any(block.holds(row, column) for block in solid)
        old.cells.append(PlannerCell(row, column, note, bool(content.formula), pinned))
    old.keys = keys
    old.kept = [entry for _, entry in sorted(kept.items()) if entry[1]]
    return old, filled


def _formula_of(contents: Contents, column: int, top: int, last: int) -> str:
    """The one formula that fills a column of the table, else nothing."""
    texts = {contents.get((row, column), EMPTY).formula for row in range(top + 1, last + 1)}
    return texts.pop() if len(texts) == 1 else ""


def _block_rows(contents: Contents, label: int | None) -> list[int]:
    if label is None:
        return []
    filled = {row for row, _ in contents}
    rows = []
    row = label + 1
    while row in filled:
        rows.append(row)
        row += 1
    return rows


def _planner_contents(plan: Arrangement[_Note], extra: Mapping[str, str]) -> dict[Spot, Content]:
    found: dict[Spot, Content] = {}
    for (row, column), note in plan.cells.items():
        content = note.content
        if row == plan.top and isinstance(content.value, str):
            content = replace(content, value=extra.get(content.value, content.value))
        if content.formula and column != note.spot[1]:
            # In another column its references would silently mean other cells.
            content = Content(content.formula)
        found[row, column] = content
    return found


def _our_contents(sheet: ResultSheet, plan: Arrangement[_Note]) -> dict[Spot, Content]:
    top, left = plan.top, plan.left
    found: dict[Spot, Value] = {(top, left + i): c.header for i, c in enumerate(sheet.columns)}
    if top > 3:
        found[top - 3, left] = sheet.title
    if top > 2:
        found[top - 2, left] = sheet.note
    if plan.label_row is not None:
        found[plan.label_row, left] = KEPT_LABEL
    found |= {(row, left): key for row, key in plan.kept_keys.items()}
    for offset, row in enumerate(sheet.rows, start=top + 1):
        for index, value in enumerate(row, start=left):
            found[offset, index] = clean(value.text if isinstance(value, Link) else value)
    return {spot: Content(value) for spot, value in found.items() if value not in (None, "")}


def _resize(page: Page, table: TableSpot, headers: Sequence[str], area: Area) -> None:
    if table.area == area and table.headers == tuple(headers):
        return
    if table.headers != tuple(headers):
        # A table's headers differ at every moment; Excel would rename one that is there twice.
        wide = max(area.right, table.area.right)
        spots = [(area.top, column) for column in range(area.left, wide + 1)]
        page.put({spot: Content(f"_{spot[1]}_") for spot in spots})
        page.resize_table(table.name, area)
        page.put({spot: EMPTY for spot in spots if spot[1] > area.right})
        page.put({s: Content(h) for s, h in zip(spots, headers, strict=False)})
    else:
        page.resize_table(table.name, area)


def _set_formats(
    page: Page, body: Area, styles: Sequence[CellStyle], rows: Sequence[Sequence[Value]]
) -> None:
    header = replace(body, bottom=body.top)
    page.set_format(header, number_format(None, CellStyle.TEXT))
    for index, style in enumerate(styles):
        column = body.left + index
        codes = [number_format(row[index], style) for row in rows] or [number_format(None, style)]
        for first, last, code in runs(codes):
            page.set_format(Area(body.top + 1 + first, column, body.top + 1 + last, column), code)


def _set_looks(page: Page, write: SheetWrite) -> None:
    body, sheet = write.body, write.sheet
    header = replace(body, bottom=body.top)
    page.style(header, font=_HEADER, color=_HEADER_FILL, wrap_text=True)
    if body.top > 3:
        page.style(Area(body.top - 3, body.left, body.top - 3, body.left), font=_TITLE)
        page.style(Area(body.top - 2, body.left, body.top - 2, body.left), font=_QUIET)
    before = set(write.place.record.headers) if write.place else set()
    for index, column in enumerate(sheet.columns, start=body.left):
        cells = Area(body.top + 1, index, body.bottom, index)
        side = "right" if column.style in NUMBERS else "left"
        page.style(
            cells,
            wrap_text=column.style is CellStyle.WRAPPED,
            vertical_alignment="top",
            horizontal_alignment=side,
        )
        page.style(Area(body.top, index, body.top, index), horizontal_alignment=side)
        if column.header not in before:
            page.set_width(index, column.width)
