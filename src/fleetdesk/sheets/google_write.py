"""A plan as the requests of one `batchUpdate`, which Google carries out whole or not at all.

The content after it is worked out here too, so that its fingerprint is known before it is sent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fleetdesk.errors import WorkbookRefused
from fleetdesk.sheets.a1 import Area
from fleetdesk.sheets.base import MANIFEST_SHEET, Link, Value, WritePlan
from fleetdesk.sheets.google_book import (
    WRITE_ROW,
    GoogleBook,
    Place,
    fingerprint,
    range_name,
)
from fleetdesk.sheets.google_charts import draw_charts
from fleetdesk.sheets.google_place import Placed, kept_rows, label_row, new_id
from fleetdesk.sheets.google_requests import Batch
from fleetdesk.sheets.google_values import (
    Json,
    Mark,
    cell_format,
    column_look,
    entered,
    kind_of,
    link_format,
    link_uri,
    mark_of,
)
from fleetdesk.sheets.layout import (
    KEPT_LABEL,
)
from fleetdesk.sheets.manifest import Manifest
from fleetdesk.sheets.owned import new_record
from fleetdesk.sheets.styles import Look, look_for

MOST_CELLS = 10_000_000
"""What a Google Sheet holds at most, empty cells of its grids included."""
_SPARE_ROWS, _SPARE_COLUMNS = 50, 6
_DATES = (Look.DATETIME, Look.DATE, Look.TIME)


@dataclass(frozen=True)
class Write:
    """What is sent, and what will then be there."""

    name: str
    requests: Sequence[Json]
    after: str
    written: tuple[str, ...]
    added: tuple[str, ...]


@dataclass
class _Pages:
    """All sheets as they will be: title and visibility, marks and grid size by id, in order."""

    shown: dict[int, tuple[str, bool]]
    marks: dict[int, dict[Place, Mark]]
    sizes: dict[int, tuple[int, int]] = field(default_factory=dict)


def build(
    book: GoogleBook,
    placed: Sequence[Placed],
    details: Mapping[tuple[int, Place], Json],
    name: str,
    settings_schema: int | None,
) -> Write:
    """The requests and what comes of them.

    `details` are the moved cells of planners in full (`CellData`) by sheet id and old place.
    """
    pages = _Pages(
        {page.id: (page.title, page.hidden) for page in book.pages},
        {page.id: page.marks() for page in book.pages},
        {page.id: (page.rows, page.columns) for page in book.pages if page.grid},
    )
    batch = Batch()
    ids = {page.title: page.id for page in book.pages}
    ids |= {item.sheet.sheet: item.page_id for item in placed}
    for item in placed:
        _open_page(batch, pages, item, len(pages.shown))
    for item in placed:
        _move_away(batch, pages.marks[item.page_id], item)
        _write_table(batch, pages.marks[item.page_id], item, ids)
        _put_back(batch, pages.marks[item.page_id], item, details)
        _name_range(batch, book, item, name)
        used = max([item.body.right, *(column for _, column in pages.marks[item.page_id])])
        draw_charts(batch, item, used)
    records = dict(book.manifest.owned)
    records |= {i.sheet.sheet: new_record(i.sheet, i.title, i.body) for i in placed}
    others = tuple(row for row in book.manifest.others if row[0] != WRITE_ROW)
    manifest = Manifest(records, (*others, (WRITE_ROW, name))).with_schema(settings_schema)
    _write_manifest(batch, pages, book, manifest, name)
    if sum(rows * columns for rows, columns in pages.sizes.values()) > MOST_CELLS:
        raise WorkbookRefused(
            f"{book.title} would have more cells than a Google Sheet can hold",
            found=f"more than {MOST_CELLS:,} cells, empty ones included",
            fix="Delete sheets, rows and columns that are not used and run again",
        )
    return Write(
        name=name,
        requests=batch.requests,
        after=fingerprint(
            (title, hidden, pages.marks[page_id].items())
            for page_id, (title, hidden) in pages.shown.items()
        ),
        written=tuple(item.sheet.sheet for item in placed),
        added=tuple(item.sheet.sheet for item in placed if item.owned is None),
    )


def name_of(before: str, plan: WritePlan) -> str:
    """A name for the write of this plan onto this content."""
    return hashlib.sha256(f"{before} {plan!r}".encode("utf-8", "replace")).hexdigest()[:16]


def _open_page(batch: Batch, pages: _Pages, item: Placed, index: int) -> None:
    """Make the sheet, or give it the rows and columns it needs."""
    places = [*item.plan.cells, *((row, 1) for row in item.plan.kept_keys)]
    rows = max([item.body.bottom, item.plan.label_row or 0, *(row for row, _ in places)])
    columns = max([item.body.right, *(column for _, column in places)])
    if item.sheet.charts and item.owned:
        # A chart is anchored to a cell past all that are in use.
        columns = max([columns, *(column for _, column in item.owned.page.cells)]) + 2
    if item.owned is None:
        size = rows + _SPARE_ROWS, columns + _SPARE_COLUMNS
        batch.add_sheet(item.page_id, item.title, index, size, frozen=item.plan.top)
        pages.shown[item.page_id] = item.title, False
        pages.marks[item.page_id] = {}
        pages.sizes[item.page_id] = size
        return
    have = pages.sizes[item.page_id]
    wanted = max(have[0], rows), max(have[1], columns)
    if wanted != have:
        batch.resize(item.page_id, wanted)
        pages.sizes[item.page_id] = wanted


def _move_away(batch: Batch, marks: dict[Place, Mark], item: Placed) -> None:
    """Clear our old table and the places that planners' cells leave."""
    if item.owned is None:
        return
    area = item.owned.area
    offering = {column.header for column in item.sheet.columns if column.input}
    for column, header in item.owned.columns.items():
        whole = Area(area.top, column, area.bottom, column)
        batch.clear(item.page_id, whole)
        if header in offering:
            batch.offer(item.page_id, whole, ())
    for merge in item.owned.page.merges:
        if merge.meets(item.body):
            batch.unmerge(item.page_id, merge)
    for row, column in list(marks):
        if column in item.owned.columns and area.top <= row <= area.bottom:
            del marks[row, column]
    stay = {old for new, old in item.plan.cells.items() if new == old}
    known = [cell.content for cell in item.old.cells]
    known += [content for _, notes in item.old.kept for _, content in notes]
    gone = [place for place in known if place not in stay]
    label = label_row(item.owned.page, area)
    if label:
        gone += [(row, area.left) for row in (label, *kept_rows(item.owned.page, label))]
    for place in gone:
        batch.clear(item.page_id, Area(*place, *place), whole=True)
        marks.pop(place, None)


def _write_table(
    batch: Batch, marks: dict[Place, Mark], item: Placed, ids: Mapping[str, int]
) -> None:
    """Title, note, header, rows, and the labels of the kept notes, with their looks."""
    sheet, plan, page = item.sheet, item.plan, item.page_id

    def put(row: int, column: int, text: str, look: Look) -> None:
        content, _ = entered(text)
        batch.cell(page, (row, column), {"userEnteredValue": content,
                                         "userEnteredFormat": cell_format(look)})  # fmt: skip
        _mark(marks, (row, column), content, None)

    if plan.top > 3:
        put(plan.top - 3, plan.left, sheet.title, Look.TITLE)
        put(plan.top - 2, plan.left, sheet.note, Look.NOTE)
    for index, column in enumerate(sheet.columns):
        put(plan.top, plan.left + index, column.header, column_look(column.style)[0])
    rows: list[list[Json]] = []
    looks: list[list[Json | Look]] = [[] for _ in sheet.columns]
    plain = [column_look(column.style)[1] for column in sheet.columns]
    for offset, row in enumerate(sheet.rows):
        cells = []
        for index, value in enumerate(row):
            content, own = entered(value)
            style = sheet.columns[index].style
            look = _look(value, own, look_for(style, value), content, ids)
            looks[index].append(look)
            cells.append({"userEnteredValue": content} if content else {})
            place = plan.top + 1 + offset, plan.left + index
            _mark(marks, place, content, look if isinstance(look, Look) else None)
        rows.append(cells)
    first = plan.top + 1
    for index, own_looks in enumerate(looks):
        area = Area(first, plan.left + index, plan.last, plan.left + index)
        different = any(look is not plain[index] for look in own_looks)
        formats = [_format(look) for look in own_looks] if different else []
        batch.formats(page, area, cell_format(plain[index]), formats)
    for index, column in enumerate(sheet.columns):
        if column.input:
            area = Area(first, plan.left + index, plan.last, plan.left + index)
            batch.offer(page, area, column.choices)
    if rows:
        batch.values(page, Area(first, plan.left, plan.last, item.body.right), rows)
    if plan.label_row is not None:
        put(plan.label_row, plan.left, KEPT_LABEL, Look.KEPT)
        for number, key in plan.kept_keys.items():
            if key:
                put(number, plan.left, key, Look.KEPT)
    known = set(item.owned.columns.values()) if item.owned else set()
    for index, column in enumerate(sheet.columns):
        if column.header not in known:
            batch.width(page, plan.left + index, column.width)


def _look(
    value: Value, own: Look | None, column: Look, content: Json, ids: Mapping[str, int]
) -> Json | Look:
    """The look of one cell, or the format of a link, whose address is part of it."""
    if isinstance(value, Link) and content:
        uri = link_uri(value.target, ids)
        return link_format(uri) if uri else Look.TEXT
    if own is not None:
        return own
    # A plain number in a column of dates must not be shown (and read) as a date.
    return Look.TEXT if column in _DATES and "numberValue" in content else column


def _format(look: Json | Look) -> Json:
    return cell_format(look) if isinstance(look, Look) else look


def _mark(marks: dict[Place, Mark], place: Place, content: Json, look: Look | None) -> None:
    if content:
        marks[place] = mark_of(content, kind_of(look))
    else:
        marks.pop(place, None)


def _put_back(
    batch: Batch,
    marks: dict[Place, Mark],
    item: Placed,
    details: Mapping[tuple[int, Place], Json],
) -> None:
    """Planners' cells at their new places, with format, comment and choice list."""
    if item.owned is None:
        return
    cells = item.owned.page.cells
    for new, old in sorted(item.moved.items()):
        full = details.get((item.page_id, old)) or {"userEnteredValue": cells[old].entered}
        batch.cell(item.page_id, new, full, whole=True)
        marks[new] = cells[old].mark


def _name_range(batch: Batch, book: GoogleBook, item: Placed, name: str) -> None:
    """The table's name covers its new area; a new name is protected by a warning."""
    label = range_name(item.sheet.table_name)
    known = book.ranges.get(label)
    if known is not None:
        batch.move_name(known.id, item.page_id, item.body)
        if item.owned is not None or known.id in book.protected:
            return
        batch.protect(known.id, item.title)
        return
    made = hashlib.sha256(f"{name} {label}".encode()).hexdigest()[:12]
    batch.add_name(f"fd{made}", label, item.page_id, item.body)
    batch.protect(f"fd{made}", item.title)


def _write_manifest(
    batch: Batch, pages: _Pages, book: GoogleBook, manifest: Manifest, name: str
) -> None:
    rows = manifest.rows()
    page = book.page(MANIFEST_SHEET)
    if page is None:
        page_id = new_id(f"{name} {MANIFEST_SHEET}", set(pages.shown))
        size = len(rows) + _SPARE_ROWS, 2 + _SPARE_COLUMNS
        batch.add_sheet(page_id, MANIFEST_SHEET, len(pages.shown), size, hidden=True)
        pages.shown[page_id], pages.marks[page_id] = (MANIFEST_SHEET, True), {}
        last = len(rows)
    else:
        page_id, size = page.id, (max(page.rows, len(rows)), max(page.columns, 2))
        if size != (page.rows, page.columns):
            batch.resize(page_id, size)
        last = max([len(rows), *(row for row, column in page.cells if column <= 2)])
    pages.sizes[page_id] = size
    cells = [[entered(value)[0] for value in row] for row in rows]
    batch.values(
        page_id, Area(1, 1, last, 2), [[{"userEnteredValue": c} for c in row] for row in cells]
    )
    marks = pages.marks[page_id]
    for row in range(1, last + 1):
        for column in (1, 2):
            content = cells[row - 1][column - 1] if row <= len(cells) else {}
            _mark(marks, (row, column), content, None)
