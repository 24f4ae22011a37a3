"""The planner's cells of an owned sheet, written again at their new places as they were stored."""

from __future__ import annotations

import re
from collections.abc import Mapping

from fleetdesk.sheets.a1 import address
from fleetdesk.sheets.layout import Arrangement, OldSheet
from fleetdesk.sheets.sheet_rows import value_cell
from fleetdesk.sheets.sheet_scan import RawCell
from fleetdesk.sheets.tables import TablePart

Ready = dict[int, list[tuple[int, bytes]]]

_FORMULA = re.compile(
    rb"<(?:[\w.]+:)?f\b(?:[^>\"']|\"[^\"]*\"|'[^']*')*?(?:/>|>.*?</(?:[\w.]+:)?f>)", re.S
)


class CalculatedColumns:
    """Columns that the planner added to our table with one formula for every row.

    Their formulas are taken out of the planner's loose cells and written for every row.
    """

    def __init__(self, table: TablePart | None, old: OldSheet[RawCell]) -> None:
        self.formulas: dict[int, str] = {}
        self.cells: dict[tuple[int, int], RawCell] = {}
        for index, node in enumerate(table.columns if table else ()):
            column = old.left + index
            formula = node.child("calculatedColumnFormula")
            if table and formula is not None and column not in old.owned:
                raw = table.xml[formula.open_end : formula.close_start]
                self.formulas[column] = raw.decode()
        loose = []
        for cell in old.cells:
            in_body = old.top < cell.row <= old.last and cell.column in self.formulas
            if in_body and cell.formula:
                self.cells[cell.row, cell.column] = cell.content
            else:
                loose.append(cell)
        old.cells = loose
        self.rows = old.last

    def fill(self, plan: Arrangement[RawCell], prefix: str, ready: Ready) -> bool:
        """Write the formulas; true when cells with one are gone."""
        p = prefix.encode()
        for column, formula in self.formulas.items():
            target = plan.columns.get(column, column)
            attrs = next((c.attrs for (_, k), c in self.cells.items() if k == column), b"")
            style = re.search(rb"\ss=\"\d+\"", attrs)
            plain = b"<%sf>%s</%sf>" % (p, formula.encode(), p)
            for row in range(plan.top + 1, plan.last + 1):
                if (row, target) in plan.cells:
                    continue
                old = self.cells.get((row, column))
                if old is not None and target == column:
                    inner = _FORMULA.sub(lambda _, new=plain: new, old.inner, count=1)  # type: ignore[misc]
                    cell = _cell(p, row, target, old.attrs, inner)
                else:
                    cell = _cell(p, row, target, style[0] if style else b"", plain)
                ready.setdefault(row, []).append((target, cell))
        return any(row > plan.last or plan.columns.get(k, k) != k for row, k in self.cells)


def ready_cells(
    plan: Arrangement[RawCell],
    prefix: str,
    renamed: Mapping[str, str],
    calculated: CalculatedColumns,
) -> tuple[Ready, bool]:
    """The planner's cells by row as XML, and whether a formula is no longer where it was.

    A formula that had to leave its column is shown as text: there its references would silently
    mean other cells. A shared formula whose definition moved keeps its result.
    """
    p = prefix.encode()
    ready: Ready = {}
    lost = False
    masters = {
        cell.shared
        for (row, column), cell in plan.cells.items()
        if cell.shared and cell.master and (row, column) == (cell.row, cell.column)
    }
    for (row, column), cell in plan.cells.items():
        stays = (row, column) == (cell.row, cell.column)
        plain = cell.formula_kind in ("", "normal")
        unshared = cell.formula_kind != "shared" or cell.shared in masters
        if row == plan.top and cell.text and renamed:
            new = renamed.get(cell.text, cell.text)
            xml = _cell(p, row, column, cell.attrs, cell.inner)
            if new != cell.text and cell.kind in ("inlineStr", "str"):
                xml = value_cell(prefix, address(row, column), _style(cell), new, False)
        elif cell.formula is None or (stays and unshared) or (plain and column == cell.column):
            xml = _cell(p, row, column, cell.attrs, cell.inner)
        elif cell.formula:
            xml = value_cell(prefix, address(row, column), _style(cell), "=" + cell.formula, False)
            lost = True
        else:
            xml = _cell(p, row, column, cell.attrs, _FORMULA.sub(b"", cell.inner, count=1))
            lost = True
        ready.setdefault(row, []).append((column, xml))
    lost |= calculated.fill(plan, prefix, ready)
    return ready, lost


def drawn(plan: Arrangement[RawCell] | None) -> dict[tuple[int, int], tuple[int, int]]:
    """Old place -> new place of the planner's cells."""
    if plan is None:
        return {}
    return {(cell.row, cell.column): place for place, cell in plan.cells.items()}


def _cell(p: bytes, row: int, column: int, attrs: bytes, inner: bytes) -> bytes:
    head = b'<%sc r="%s"%s' % (p, address(row, column).encode(), attrs)
    return head + (b">%s</%sc>" % (inner, p) if inner else b"/>")


def _style(cell: RawCell) -> int:
    return int(cell.style) if cell.style.isdigit() else 0
