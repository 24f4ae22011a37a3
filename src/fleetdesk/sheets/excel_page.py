"""One worksheet of a running Excel: read in two calls, written in blocks.

Every method may be called again after Excel was busy: it sets what it sets, once more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fleetdesk.errors import WorkbookRefused
from fleetdesk.sheets.a1 import Area
from fleetdesk.sheets.excel_app import Patience
from fleetdesk.sheets.excel_values import Cells, Content, from_excel, rectangles, to_excel
from fleetdesk.sheets.links import Target
from fleetdesk.sheets.reading import MAX_CELLS
from fleetdesk.sheets.values import date_kind

_Block = list[list[Any]]
_LIST, _INFORMATION, _BETWEEN = 3, 3, 1
"""Numbers that Excel's object model gives to a kind of rule, of alert and of comparison."""


@dataclass(frozen=True)
class TableSpot:
    """One table of the workbook: where it is; `last` is its last row of data."""

    name: str
    sheet: str
    area: Area
    headers: tuple[str, ...]
    totals: bool

    @property
    def last(self) -> int:
        """The last row before the totals row."""
        return self.area.bottom - self.totals


class Page:
    """A worksheet; `do` waits while Excel is busy."""

    def __init__(self, sheet: Any, do: Patience, date1904: bool) -> None:
        self.sheet = sheet
        self.do = do
        self.date1904 = date1904

    @property
    def name(self) -> str:
        """The sheet's name now."""
        return self.do(lambda: str(self.sheet.name))

    @property
    def hidden(self) -> bool:
        """Whether the planner cannot see it."""
        return not self.do(lambda: self.sheet.visible)

    @property
    def protected(self) -> bool:
        """Whether its cells are locked."""
        return bool(self.do(lambda: self.sheet.api.ProtectContents))

    def read(self) -> Cells:
        """Everything that stands in the sheet."""
        used = self.do(lambda: self.sheet.used_range)
        top, left = self.do(lambda: (used.row, used.column))
        height, width = self.do(lambda: used.shape)
        if height * width > MAX_CELLS:
            raise WorkbookRefused(
                f"The sheet {self.name} of {self.do.where} is used from end to end",
                found=f"{height} rows and {width} columns in use",
                fix="Delete the rows and columns that are not needed, save, and run again",
            )
        values = self.do(lambda: used.options(ndim=2, err_to_str=True).value)
        formulas = _block(self.do(lambda: used.formula))
        kinds = self._kinds(values, top, left)
        found: dict[tuple[int, int], Content] = {}
        for i, (row, row_formulas) in enumerate(zip(values, formulas, strict=True)):
            for j, (raw, text) in enumerate(zip(row, row_formulas, strict=True)):
                place = (top + i, left + j)
                value = from_excel(raw, kinds.get(place, ""))
                # Text that begins with = is its own "formula"; a formula's result never is.
                formula = isinstance(text, str) and text.startswith("=") and raw != text
                if formula or value is not None:
                    found[place] = Content(value, text if formula else "")
        return Cells(found)

    def put(self, contents: Mapping[tuple[int, int], Content]) -> None:
        """Write cells, empty ones too, in as few calls as their shape allows."""
        for top, left, bottom, right in rectangles(contents):
            block = [
                [self._assigned(contents[row, column]) for column in range(left, right + 1)]
                for row in range(top, bottom + 1)
            ]
            area = self._range(Area(top, left, bottom, right))
            self.do(lambda area=area, block=block: setattr(area, "value", block))  # type: ignore[misc]

    def set_format(self, area: Area, number_format: str) -> None:
        """Set the number format of an area."""
        cells = self._range(area)
        self.do(lambda: setattr(cells, "number_format", number_format))

    def style(self, area: Area, *, font: Mapping[str, Any] | None = None, **look: Any) -> None:
        """Set properties of an area (`color`, `wrap_text`, ...) and of its font."""
        cells = self._range(area)
        for name, value in look.items():
            self.do(lambda name=name, value=value: setattr(cells, name, value))  # type: ignore[misc]
        for name, value in (font or {}).items():
            self.do(lambda name=name, value=value: setattr(cells.font, name, value))  # type: ignore[misc]

    def offer(self, area: Area, choices: str | None) -> None:
        """A dropdown in cells, which forbids nothing; None takes it away."""
        rule = self._range(area).api.Validation
        self.do(rule.Delete)
        if choices:
            self.do(lambda: rule.Add(_LIST, _INFORMATION, _BETWEEN, choices))
            self.do(lambda: setattr(rule, "ShowError", False))

    def tables(self) -> list[TableSpot]:
        """The sheet's tables."""
        name = self.name
        return [self._spot(table, name) for table in self.do(lambda: list(self.sheet.tables))]

    def add_table(self, name: str, area: Area, style: str) -> None:
        """Make the area, whose first row holds the headers, a table."""
        cells = self._range(area)
        there = {spot.area for spot in self.tables()}
        if area not in there:
            self.do(
                lambda: self.sheet.tables.add(
                    source=cells, has_headers=True, table_style_name=style
                )
            )
        table = next(t for t in self.do(lambda: list(self.sheet.tables)) if self._area(t) == area)
        self.do(lambda: setattr(table, "name", name))

    def resize_table(self, name: str, area: Area) -> None:
        """Let a table cover another area with the same header row; its filter shows all."""
        table = self._table(name)
        if self.do(lambda: table.show_autofilter):
            self.do(lambda: setattr(table, "show_autofilter", False))
        cells = self._range(area)
        self.do(lambda: table.resize(cells))
        self.do(lambda: setattr(table, "show_autofilter", True))

    def show_totals(self, name: str, shown: bool) -> None:
        """Show or hide a table's totals row; Excel remembers what it shows."""
        table = self._table(name)
        self.do(lambda: setattr(table, "show_totals", shown))

    def drop_table(self, name: str) -> None:
        """Make a table plain cells again."""
        table = self._table(name)
        self.do(lambda: table.api.Unlist())

    def links(self) -> dict[tuple[int, int], Target]:
        """Where the cells' links lead."""
        found = {}
        for link in self.do(lambda: list(self.sheet.api.Hyperlinks)):
            place = self.do(lambda link=link: (link.Range.Row, link.Range.Column))  # type: ignore[misc]
            target = self.do(lambda link=link: (link.Address or "", link.SubAddress or ""))  # type: ignore[misc]
            found[place] = Target(*target)
        return found

    def drop_links(self, area: Area) -> None:
        """Take the links out of an area; their text stays."""
        cells = self._range(area)
        self.do(lambda: cells.api.Hyperlinks.Delete())

    def link(self, place: tuple[int, int], target: Target) -> None:
        """Make a cell clickable; what it shows stays as it is."""
        cell = self._range(Area(*place, *place))
        self.do(
            lambda: self.sheet.api.Hyperlinks.Add(
                Anchor=cell.api, Address=target.outside, SubAddress=target.inside
            )
        )

    def set_width(self, column: int, width: float) -> None:
        """Set a column's width in characters."""
        cells = self._range(Area(1, column, 1, column))
        self.do(lambda: setattr(cells, "column_width", min(max(width, 3), 255)))

    def merged(self, places: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
        """Those of the cells that are part of a merged range."""
        used = self.do(lambda: self.sheet.used_range)
        if self.do(lambda: used.merge_cells) is False:
            return set()
        found = set()
        for place in places:
            cell = self._range(Area(*place, *place))
            if self.do(lambda cell=cell: cell.merge_cells):  # type: ignore[misc]
                found.add(place)
        return found

    def _assigned(self, content: Content) -> object:
        return content.formula or to_excel(content.value, self.date1904)

    def _range(self, area: Area) -> Any:
        first, last = (area.top, area.left), (area.bottom, area.right)
        return self.do(lambda: self.sheet.range(first, last))

    def _table(self, name: str) -> Any:
        return self.do(
            lambda: next(t for t in self.sheet.tables if str(t.name).casefold() == name.casefold())
        )

    def _area(self, table: Any) -> Area:
        row, column, (height, width) = self.do(
            lambda: (table.range.row, table.range.column, table.range.shape)
        )
        return Area(row, column, row + height - 1, column + width - 1)

    def _spot(self, table: Any, sheet: str) -> TableSpot:
        area = self._area(table)
        header = self._range(Area(area.top, area.left, area.top, area.right))
        headers = self.do(lambda: header.options(ndim=2).value)[0]
        name, totals = self.do(lambda: (str(table.name), bool(table.show_totals)))
        return TableSpot(name, sheet, area, tuple(str(text) for text in headers), totals)

    def _kinds(
        self, values: Sequence[Sequence[object]], top: int, left: int
    ) -> dict[tuple[int, int], str]:
        """What the number formats of date cells show, asked for by stretches of a column."""
        kinds: dict[tuple[int, int], str] = {}
        dated = [
            (i, j) for i, row in enumerate(values) for j, v in enumerate(row)
            if isinstance(v, datetime)
        ]  # fmt: skip
        waiting = [Area(top + a, left + b, top + c, left + d) for a, b, c, d in rectangles(dated)]
        while waiting:
            area = waiting.pop()
            cells = self._range(area)
            code = self.do(lambda cells=cells: cells.number_format)  # type: ignore[misc]
            if code is None and area.top < area.bottom:
                middle = (area.top + area.bottom) // 2
                waiting.append(Area(area.top, area.left, middle, area.right))
                waiting.append(Area(middle + 1, area.left, area.bottom, area.right))
            elif code is None and area.left < area.right:
                middle = (area.left + area.right) // 2
                waiting.append(Area(area.top, area.left, area.bottom, middle))
                waiting.append(Area(area.top, middle + 1, area.bottom, area.right))
            else:
                kind = date_kind(0, code) if code else ""
                kinds |= {
                    (row, column): kind
                    for row in range(area.top, area.bottom + 1)
                    for column in range(area.left, area.right + 1)
                }
        return kinds


def _block(raw: Any) -> _Block:
    """Rows of cells, whatever shape COM gave: one cell comes bare, one row as a flat tuple."""
    if not isinstance(raw, list | tuple):
        return [[raw]]
    if raw and not isinstance(raw[0], list | tuple):
        return [list(raw)]
    return [list(row) for row in raw]
