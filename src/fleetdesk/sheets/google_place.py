"""Where a plan's tables and the planner's cells around them go in a Google Sheet."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from fleetdesk.sheets.a1 import Area, rectangle
from fleetdesk.sheets.base import ResultSheet, WritePlan
from fleetdesk.sheets.claims import foreign_sheet
from fleetdesk.sheets.google_book import GoogleBook, Owned, Page, Place
from fleetdesk.sheets.layout import (
    KEPT_LABEL,
    Arrangement,
    OldSheet,
    PlannerCell,
    arrange,
    key_text,
)
from fleetdesk.sheets.plan_check import links_of

HEADER_ROW = 4


@dataclass(frozen=True)
class Placed:
    """One sheet of the plan and where everything on it goes; cells are named by old places."""

    sheet: ResultSheet
    owned: Owned | None
    page_id: int
    title: str
    plan: Arrangement[Place]
    old: OldSheet[Place]

    @property
    def moved(self) -> dict[Place, Place]:
        """New place -> old place of the planner's cells that do not stay."""
        return {new: old for new, old in self.plan.cells.items() if new != old}

    @property
    def body(self) -> Area:
        """The new table, its header included."""
        return rectangle(self.plan.top, self.plan.left, self.plan.last, len(self.sheet.columns))


def place_all(book: GoogleBook, plan: WritePlan, name: str) -> list[Placed]:
    """Where the plan's sheets and the planner's cells on them go; nothing is sent yet."""
    taken = {page.id for page in book.pages}
    placed = []
    for sheet in plan.sheets:
        links_of(sheet)
        owned = book.owned.get(sheet.sheet)
        other = book.page(sheet.sheet)
        if owned is None and other is not None:
            raise foreign_sheet(book.title, other.title)
        old = _old_sheet(owned, sheet) if owned else _blank()
        page_id = owned.page.id if owned else new_id(f"{name} {sheet.sheet}", taken)
        title = owned.page.title if owned else sheet.sheet
        placed.append(Placed(sheet, owned, page_id, title, arrange(old, sheet), old))
    return placed


def label_row(page: Page, area: Area) -> int:
    """The row of the label over the kept notes, 0 where there are none."""
    labels = [
        row
        for (row, column), cell in page.cells.items()
        if column == area.left and row > area.bottom and cell.value == KEPT_LABEL
    ]
    return min(labels, default=0)


def kept_rows(page: Page, label: int) -> dict[int, tuple[str, list[tuple[int, Place]]]]:
    """The filled rows under the label, up to the first empty one."""
    filled = {row for (row, _), cell in page.cells.items() if cell.entered} if label else set()
    last = label
    while last + 1 in filled:
        last += 1
    return {row: ("", []) for row in range(label + 1, last + 1)}


def new_id(seed: str, taken: set[int]) -> int:
    """A sheet id that follows from the seed: sent twice, the second is refused as already there."""
    number = int(hashlib.sha256(seed.encode()).hexdigest()[:7], 16) + 1
    while number in taken:
        number += 1
    taken.add(number)
    return number


def _blank() -> OldSheet[Place]:
    return OldSheet(top=HEADER_ROW, left=1, last=HEADER_ROW + 1, owned={})


def _old_sheet(owned: Owned, sheet: ResultSheet) -> OldSheet[Place]:
    """The sheet as the planner left it: their cells told from ours, merged ones kept together."""
    area, cells = owned.area, owned.page.cells
    old: OldSheet[Place] = OldSheet(area.top, area.left, area.bottom, owned.columns)
    key = next((c for c, header in owned.columns.items() if header == sheet.key), 0)
    ours = {(area.top - 3, area.left), (area.top - 2, area.left)}
    body = rectangle(area.top, area.left, area.top + max(len(sheet.rows), 1), len(sheet.columns))
    solid = [merge for merge in owned.page.merges if not merge.meets(body)]
    label = label_row(owned.page, area)
    kept = kept_rows(owned.page, label)
    ours.add((label, area.left))
    keys: dict[int, str] = {}
    for (row, column), cell in sorted(cells.items()):
        if column in owned.columns and area.top <= row <= area.bottom:
            if column == key:
                keys[row] = key_text(cell.value)
        elif (row, column) in ours or not cell.entered:
            continue
        elif row in kept:
            if column == area.left:
                kept[row] = (key_text(cell.value), kept[row][1])
            else:
                kept[row][1].append((column, (row, column)))
        else:
            pinned = any(merge.holds(row, column) for merge in solid)
            old.cells.append(PlannerCell(row, column, (row, column), cell.formula, pinned))
    old.keys = keys
    old.kept = [entry for _, entry in sorted(kept.items()) if entry[1]]
    return old
