"""An Excel for tests: an xlwings engine over openpyxl that behaves as COM does.

Whole numbers come as floats, empty cells as None, errors as integers, dates as aware datetimes,
money as decimals; assigned text is read as if it were typed; Excel can be busy, be in the middle
of an edit, be closed, or fail at any call.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import openpyxl
from openpyxl.chart import BarChart, Reference
from openpyxl.chart.series_factory import SeriesFactory
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.table import Table, TableStyleInfo

from fleetdesk.sheets.a1 import Area
from fleetdesk.sheets.excel_app import load
from fleetdesk.sheets.values import date_kind, serial

REJECTED = -2147418111
IN_CELL = (-2147352567, -2146777998)
DISCONNECTED = -2147417848
_ERRORS = {"#DIV/0!": -2146826281, "#N/A": -2146826246, "#REF!": -2146826265}
_EPOCH = datetime(1899, 12, 30, tzinfo=UTC)


class com_error(Exception):  # noqa: N801 - the name that pywin32 gives it
    """As pywintypes raises it: (hresult, text, (.., source, description, .., scode), argument)."""

    @property
    def hresult(self) -> int:
        return int(self.args[0])


def refused(description: str = "Exception occurred.", scode: int = -2146827284) -> com_error:
    inner = (0, "Microsoft Excel", description, None, 0, scode)
    return com_error(-2147352567, "Exception occurred.", inner, None)


class FakeExcel:
    """The program: open books, the last used first, and what is to go wrong.

    `busy` calls are rejected; `on_call` sees the name of every call and may raise.
    """

    def __init__(self) -> None:
        self.books: list[FakeBook] = []
        self.busy = 0
        self.editing = False
        self.on_call: Callable[[str], None] = lambda _: None
        self.settings = {"screen_updating": True, "calculation": "automatic", "enable_events": True}
        self.calls: list[str] = []

    def open(self, name: str, book: Any, path: Path | None = None) -> FakeBook:
        opened = FakeBook(self, name, book, path)
        self.books.insert(0, opened)
        return opened

    def touch(self, call: str) -> None:
        self.calls.append(call)
        if self.busy > 0:
            self.busy -= 1
            if self.editing:
                inner = (0, "", "", None, 0, IN_CELL[1])
                raise com_error(IN_CELL[0], "Exception occurred.", inner, None)
            raise com_error(REJECTED, "Call was rejected by callee.", None, None)
        self.on_call(call)

    def install(self, monkeypatch: Any) -> FakeExcel:
        """Make this the Excel that xlwings finds."""
        xw = load()
        engines = type(xw.engines)()
        engines.add(xw.Engine(impl=_Engine(self)))
        engines.active = engines["excel"]
        monkeypatch.setattr(xw, "engines", engines)
        monkeypatch.setattr(xw.main, "engines", engines)
        return self


class FakeBook:
    """An open workbook."""

    def __init__(self, excel: FakeExcel, name: str, book: Any, path: Path | None) -> None:
        self.excel, self.name, self.book, self.path = excel, name, book, path
        self.structure_locked = False
        self.locked: set[str] = set()
        self.links: dict[str, dict[tuple[int, int], tuple[str, str]]] = {}
        self.results: dict[tuple[str, int, int], object] = {}

    def close(self) -> None:
        self.excel.books.remove(self)

    def save(self, path: Path) -> None:
        """Write a copy; openpyxl closes the pictures that it saves, so they are opened again."""
        pictures = [picture for page in self.book for picture in page._images]
        kept = [picture._data() for picture in pictures]
        for again in (self.book.save, lambda _: None):
            for picture, data in zip(pictures, kept, strict=True):
                picture.ref = BytesIO(data)
            again(path)

    def touch(self, call: str) -> None:
        self.excel.touch(call)
        if self not in self.excel.books:
            raise com_error(DISCONNECTED, "The object has disconnected.", None, None)

    def put(self, sheet: str, row: int, column: int, value: object) -> None:
        """Type a value as the planner does, without going through COM."""
        page = self.book[sheet] if sheet in self.book.sheetnames else self.book.create_sheet(sheet)
        _type(page.cell(row, column), value)

    def formula(self, sheet: str, row: int, column: int) -> object:
        return _formula(self.book[sheet]._cells.get((row, column)))


class _Engine:
    name, type = "excel", "desktop"

    def __init__(self, excel: FakeExcel) -> None:
        self.excel = excel

    @property
    def apps(self) -> list[_App]:
        return [_App(self)] if self.excel.books else []

    @staticmethod
    def prepare_xl_data_element(value: Any, _: Any) -> Any:
        assert not isinstance(value, int) or isinstance(value, bool), (
            "COM cannot take wide integers"
        )
        return "" if value is None else value

    @staticmethod
    def clean_value_data(
        data: Any, dates: Any, empty: Any, numbers: Any, err_to_str: bool
    ) -> list[list[Any]]:
        def clean(value: Any) -> Any:
            if value in ("", None):
                return empty
            if isinstance(value, datetime):
                return value.replace(tzinfo=None)
            names = {code: text for text, code in _ERRORS.items()}
            if type(value) is int and value in names:
                return names[value] if err_to_str else None
            return value

        return [[clean(value) for value in row] for row in data]


def _setting(name: str) -> property:
    def get(self: Any) -> Any:
        self.excel.touch(f"get {name}")
        return self.excel.settings[name]

    def put(self: Any, value: Any) -> None:
        self.excel.touch(f"set {name}")
        self.excel.settings[name] = value

    return property(get, put)


class _App:
    pid = 1
    screen_updating = _setting("screen_updating")
    calculation = _setting("calculation")
    enable_events = _setting("enable_events")

    def __init__(self, engine: _Engine) -> None:
        self.engine, self.excel = engine, engine.excel

    @property
    def api(self) -> Any:
        windows = [
            SimpleNamespace(Parent=SimpleNamespace(Name=b.name), Visible=True)
            for b in self.excel.books
        ]
        return SimpleNamespace(Windows=windows)

    @property
    def books(self) -> _Books:
        self.excel.touch("books")
        return _Books(self)


class _Books(list[Any]):
    def __init__(self, app: _App) -> None:
        super().__init__(_Book(book, app) for book in app.excel.books)
        self.app = app

    @property
    def active(self) -> _Book:
        return self[0]  # type: ignore[no-any-return]

    def open(self, path: str, *_: Any) -> Any:
        app = self.app
        opened = app.excel.open(Path(path).name, openpyxl.load_workbook(path), Path(path))
        return _Book(opened, app)

    def __call__(self, key: Any) -> Any:
        for index, book in enumerate(self, start=1):
            if key in (index, book.name):
                return book
        raise KeyError(key)


class _Book:
    def __init__(self, fake: FakeBook, app: _App) -> None:
        self.fake, self._app = fake, app

    @property
    def app(self) -> _App:
        self.fake.excel.touch("app")
        return self._app

    @property
    def name(self) -> str:
        self.fake.touch("book.name")
        return self.fake.name

    def close(self) -> None:
        self.fake.touch("close")
        self.fake.close()

    @property
    def fullname(self) -> str:
        return str(self.fake.path or self.fake.name)

    @property
    def api(self) -> Any:
        fake = self.fake
        fake.touch("book.api")

        def save_copy(path: str) -> None:
            fake.touch("SaveCopyAs")
            fake.save(Path(path))

        return SimpleNamespace(
            Path=str(fake.path.parent) if fake.path else "",
            Date1904=False,
            ProtectStructure=fake.structure_locked,
            SaveCopyAs=save_copy,
        )

    @property
    def sheets(self) -> _Sheets:
        self.fake.touch("sheets")
        return _Sheets(self)

    @property
    def names(self) -> Any:
        self.fake.touch("names")
        names = [(n, SimpleNamespace(name=n)) for n in self.fake.book.defined_names]
        return SimpleNamespace(snapshot=lambda: names)


class _Sheets:
    def __init__(self, book: _Book) -> None:
        self.book, self.fake = book, book.fake

    @property
    def active(self) -> _Sheet:
        return _Sheet(self.book, self.fake.book.active)

    def __iter__(self) -> Iterator[_Sheet]:
        return iter([_Sheet(self.book, page) for page in self.fake.book.worksheets])

    def __len__(self) -> int:
        return len(self.fake.book.worksheets)

    def __call__(self, key: Any) -> _Sheet:
        pages = self.fake.book.worksheets
        return _Sheet(self.book, pages[key - 1] if isinstance(key, int) else self.fake.book[key])

    def add(self, before: Any, after: Any, name: str | None) -> _Sheet:
        self.fake.touch("sheets.add")
        if self.fake.structure_locked:
            raise refused("Method 'Add' of object 'Sheets' failed")
        assert before is None and name is None
        index = self.fake.book.worksheets.index(after.page) + 1
        page = self.fake.book.create_sheet(index=index)
        self.fake.book.active = index
        return _Sheet(self.book, page)


class _Sheet:
    def __init__(self, book: _Book, page: Any) -> None:
        self.book, self.page, self.fake = book, page, book.fake

    @property
    def name(self) -> str:
        self.fake.touch("sheet.name")
        return str(self.page.title)

    @name.setter
    def name(self, value: str) -> None:
        self.fake.touch("set sheet.name")
        self.page.title = value

    @property
    def visible(self) -> bool:
        return bool(self.page.sheet_state == "visible")

    @visible.setter
    def visible(self, value: bool) -> None:
        self.fake.touch("set sheet.visible")
        self.page.sheet_state = "visible" if value else "hidden"

    @property
    def locked(self) -> bool:
        return self.page.title in self.fake.locked

    @property
    def api(self) -> Any:
        self.fake.touch("sheet.api")
        links = self.fake.links.setdefault(self.page.title, {})
        listed = [
            SimpleNamespace(Range=SimpleNamespace(Row=r, Column=c), Address=a, SubAddress=s)
            for (r, c), (a, s) in links.items()
        ]
        return SimpleNamespace(
            ProtectContents=self.locked,
            Hyperlinks=_Links(self, listed),
            Activate=self._activate,
            ChartObjects=lambda: _Charts(self),
        )

    @property
    def used_range(self) -> _Range:
        self.fake.touch("used_range")
        used = [p for p, c in self.page._cells.items() if c._value is not None] or [(1, 1)]
        rows, columns = [r for r, _ in used], [c for _, c in used]
        return _Range(self, Area(min(rows), min(columns), max(rows), max(columns)))

    def range(self, first: Any, last: Any = None) -> _Range:
        self.fake.touch("range")
        if isinstance(first, _Range):
            return _Range(self, Area(first.row, first.column, last.row, last.column))
        if isinstance(first, str):
            area = Area.parse(first)
            assert area is not None
            return _Range(self, area)
        return _Range(self, Area(*first, *(last or first)))

    @property
    def tables(self) -> _Tables:
        self.fake.touch("tables")
        return _Tables(self)

    def _activate(self) -> None:
        self.fake.touch("Activate")
        self.fake.book.active = self.page

    def delete(self) -> None:
        self.fake.touch("sheet.delete")
        self.fake.book.remove(self.page)


class _Links(list[Any]):
    def __init__(self, sheet: _Sheet, items: list[Any]) -> None:
        super().__init__(items)
        self.sheet = sheet

    def Add(self, Anchor: Any, Address: str, SubAddress: str) -> None:  # noqa: N802, N803
        self.sheet.fake.touch("Hyperlinks.Add")
        links = self.sheet.fake.links.setdefault(self.sheet.page.title, {})
        links[Anchor.place] = (Address, SubAddress)


class _Range:
    options: Any = None

    def __init__(self, sheet: _Sheet, area: Area) -> None:
        self.sheet, self.area, self.fake = sheet, area, sheet.fake
        self.row, self.column = area.top, area.left
        self.shape = (area.bottom - area.top + 1, area.right - area.left + 1)
        self.max_cells_per_read = self.max_cells_per_write = None

    def __call__(self, row: int, column: int) -> _Range:
        place = (self.row + row - 1, self.column + column - 1)
        return _Range(self.sheet, Area(*place, *place))

    @property
    def api(self) -> Any:
        def delete() -> None:
            self.fake.touch("Hyperlinks.Delete")
            links = self.fake.links.get(self.sheet.page.title, {})
            for place in [place for place in links if self.area.holds(*place)]:
                del links[place]

        return SimpleNamespace(
            place=(self.row, self.column),
            sheet=self.sheet,
            area=self.area,
            Hyperlinks=SimpleNamespace(Delete=delete),
            Validation=_Validation(self),
        )

    @property
    def left(self) -> float:
        return 48.0 * (self.column - 1)

    @property
    def top(self) -> float:
        return 15.0 * (self.row - 1)

    def _cells(self, read: Callable[[Any], object]) -> Any:
        a, cells = self.area, self.sheet.page._cells
        rows = tuple(
            tuple(read(cells.get((r, c))) for c in range(a.left, a.right + 1))
            for r in range(a.top, a.bottom + 1)
        )
        return rows[0][0] if self.shape == (1, 1) else rows

    def _value(self, cell: Any) -> object:
        result = None
        if cell is not None and cell.data_type == "f":
            result = self.fake.results.get((self.sheet.page.title, cell.row, cell.column), 0.0)
        return _com(cell, result)

    @property
    def raw_value(self) -> Any:
        self.fake.touch("get value")
        return self._cells(self._value)

    @raw_value.setter
    def raw_value(self, data: Any) -> None:
        self._write()
        rows = data if isinstance(data, list | tuple) else [[data]]
        assert (len(rows), len(rows[0])) == self.shape
        for r, row in enumerate(rows, start=self.row):
            for c, value in enumerate(row, start=self.column):
                _type(self.sheet.page.cell(r, c), value)
                _name_header(self.sheet.page, r, c)

    @property
    def formula(self) -> Any:
        self.fake.touch("get formula")
        return self._cells(_formula)

    @property
    def number_format(self) -> str | None:
        self.fake.touch("get number_format")
        cells = self._cells(lambda cell: "General" if cell is None else cell.number_format)
        found = {cells} if isinstance(cells, str) else {code for row in cells for code in row}
        return found.pop() if len(found) == 1 else None

    @number_format.setter
    def number_format(self, code: str) -> None:
        self._write("set number_format")
        for r in range(self.area.top, self.area.bottom + 1):
            for c in range(self.area.left, self.area.right + 1):
                self.sheet.page.cell(r, c).number_format = code

    @property
    def merge_cells(self) -> bool | None:
        merged = [Area.parse(str(block)) for block in self.sheet.page.merged_cells.ranges]
        if self.shape == (1, 1):
            return any(block.holds(self.row, self.column) for block in merged if block)
        return None if merged else False

    def _write(self, call: str = "set value") -> None:
        self.fake.touch(call)
        if self.sheet.locked:
            raise refused("The cell is on a protected sheet.")

    def __setattr__(self, name: str, value: Any) -> None:
        looks = {"color", "wrap_text", "vertical_alignment", "horizontal_alignment", "column_width"}
        if name in looks:
            self._write(f"set {name}")
        object.__setattr__(self, name, value)

    @property
    def font(self) -> Any:
        self._write("font")
        return SimpleNamespace()


class _Validation:
    """The rule of a range, kept as openpyxl keeps it."""

    def __init__(self, cells: _Range) -> None:
        object.__setattr__(self, "cells", cells)

    def Delete(self) -> None:  # noqa: N802
        self.cells.fake.touch("Validation.Delete")
        rules = self.cells.sheet.page.data_validations.dataValidation
        rules[:] = [rule for rule in rules if str(rule.sqref) != self.cells.area.ref]

    def Add(self, Type: int, AlertStyle: int, Operator: int, Formula1: str) -> None:  # noqa: N802, N803
        self.cells.fake.touch("Validation.Add")
        assert (Type, AlertStyle, Operator) == (3, 3, 1)
        rule = DataValidation(type="list", formula1=f'"{Formula1}"')
        rule.add(self.cells.area.ref)
        self.cells.sheet.page.add_data_validation(rule)

    def __setattr__(self, name: str, value: Any) -> None:
        assert (name, value) == ("ShowError", False)


class _Charts:
    """A sheet's charts, kept as openpyxl keeps them; their names are ours to remember."""

    def __init__(self, sheet: _Sheet) -> None:
        self.sheet = sheet

    @property
    def Count(self) -> int:  # noqa: N802
        self.sheet.fake.touch("ChartObjects.Count")
        return len(self.sheet.page._charts)

    def Item(self, number: int) -> Any:  # noqa: N802
        return _ChartObject(self.sheet, self.sheet.page._charts[number - 1])

    def Add(self, Left: float, Top: float, Width: float, Height: float) -> Any:  # noqa: N802, N803
        self.sheet.fake.touch("ChartObjects.Add")
        chart = BarChart()
        chart.name, chart.place = "Chart", (Left, Top, Width, Height)
        self.sheet.page.add_chart(chart)
        return _ChartObject(self.sheet, chart)


class _ChartObject:
    def __init__(self, sheet: _Sheet, chart: Any) -> None:
        object.__setattr__(self, "sheet", sheet)
        object.__setattr__(self, "chart", chart)
        object.__setattr__(self, "Chart", _Chart(sheet, chart))

    @property
    def Name(self) -> str:  # noqa: N802
        return str(getattr(self.chart, "name", "Chart"))

    def Delete(self) -> None:  # noqa: N802
        self.sheet.fake.touch("ChartObject.Delete")
        charts = self.sheet.page._charts
        charts[:] = [chart for chart in charts if chart is not self.chart]

    def __setattr__(self, name: str, value: Any) -> None:
        assert name == "Name"
        self.chart.name = value


class _Chart:
    """What `ChartObject.Chart` offers of Excel's model, as far as it is used."""

    def __init__(self, sheet: _Sheet, chart: Any) -> None:
        self.sheet, self.chart = sheet, chart
        self.Legend = SimpleNamespace()
        self.axes = {
            number: SimpleNamespace(AxisTitle=SimpleNamespace(Text="")) for number in (1, 2)
        }

    def Axes(self, number: int) -> Any:  # noqa: N802
        return self.axes[number]

    @property
    def ChartTitle(self) -> Any:  # noqa: N802
        chart = self.chart

        class Title:
            def __setattr__(self, name: str, value: str) -> None:
                assert name == "Text"
                chart.title = value

        return Title()

    def SeriesCollection(self, number: int | None = None) -> Any:  # noqa: N802
        self.sheet.fake.touch("SeriesCollection")
        series = self.chart.series
        if number is not None:
            found = series[number - 1]
            return SimpleNamespace(
                Delete=lambda: series.remove(found),
                Format=SimpleNamespace(
                    Fill=SimpleNamespace(ForeColor=SimpleNamespace()),
                    Line=SimpleNamespace(ForeColor=SimpleNamespace()),
                ),
            )
        chart = self.chart

        class New:
            """A new series; `Values` is what openpyxl needs to keep it."""

            def __setattr__(self, name: str, value: Any) -> None:
                if name == "Values":
                    a = value.area
                    area = Reference(value.sheet.page, a.left, a.top, a.right, a.bottom)
                    chart.series.append(SeriesFactory(area))
                else:
                    assert name in ("Name", "XValues")

        return SimpleNamespace(Count=len(series), NewSeries=New)


class _Tables:
    def __init__(self, sheet: _Sheet) -> None:
        self.sheet = sheet

    def __iter__(self) -> Iterator[_Table]:
        return iter([_Table(self.sheet, table) for table in self.sheet.page.tables.values()])

    def __len__(self) -> int:
        return len(self.sheet.page.tables)

    def add(self, source: Any, table_style_name: str, **_: Any) -> _Table:
        self.sheet.fake.touch("tables.add")
        area = source.impl.area
        for other in self.sheet.page.tables.values():
            if area.meets(Area.parse(other.ref)):
                raise refused("A table cannot overlap another table.")
        name = f"Table{1 + sum(len(p.tables) for p in self.sheet.fake.book.worksheets)}"
        table = Table(displayName=name, ref=area.ref)
        table.tableStyleInfo = TableStyleInfo(name=table_style_name)
        self.sheet.page.add_table(table)
        return _Table(self.sheet, table)


class _Table:
    def __init__(self, sheet: _Sheet, table: Any) -> None:
        self.sheet, self.table = sheet, table

    @property
    def name(self) -> str:
        self.sheet.fake.touch("table.name")
        return str(self.table.displayName)

    @name.setter
    def name(self, value: str) -> None:
        self.sheet.fake.touch("set table.name")
        del self.sheet.page.tables[self.table.displayName]
        self.table.displayName = self.table.name = value
        self.sheet.page.tables.add(self.table)

    @property
    def range(self) -> _Range:
        area = Area.parse(self.table.ref)
        assert area is not None
        return _Range(self.sheet, area)

    @property
    def show_autofilter(self) -> bool:
        return self.table.autoFilter is not None

    @show_autofilter.setter
    def show_autofilter(self, value: bool) -> None:
        self.sheet.fake.touch("set show_autofilter")

    @property
    def show_totals(self) -> bool:
        return bool(self.table.totalsRowCount)

    @show_totals.setter
    def show_totals(self, value: bool) -> None:
        self.sheet.fake.touch("set show_totals")
        area = self.range.area
        if value != self.show_totals:
            bottom = area.bottom + (1 if value else -1)
            self.table.ref = Area(area.top, area.left, bottom, area.right).ref
            self.table.totalsRowCount = 1 if value else None
            row = max(bottom, area.bottom)
            for column in range(area.left, area.right + 1):
                self.sheet.page.cell(row, column)._value = None
            if value:
                _type(self.sheet.page.cell(row, area.left), "Total")

    @property
    def api(self) -> Any:
        def unlist() -> None:
            del self.sheet.page.tables[self.table.displayName]

        return SimpleNamespace(Unlist=unlist)

    def resize(self, target: Any) -> None:
        self.sheet.fake.touch("table.resize")
        area = target.impl.area
        assert area.top == self.range.area.top and area.bottom > area.top
        self.table.ref = area.ref
        self.table.tableColumns = []
        if self.table.autoFilter:
            self.table.autoFilter.ref = area.ref
        for column in range(area.left, area.right + 1):
            if self.sheet.page.cell(area.top, column)._value is None:
                _type(self.sheet.page.cell(area.top, column), f"Column{column}")


def _type(cell: Any, value: object) -> None:
    """What Excel makes of a value that is assigned or typed."""
    if isinstance(value, str) and cell.number_format != "@":
        value = _parsed(cell, value)
    elif isinstance(value, str):
        value = ("s", value.removeprefix("'"))
    if isinstance(value, tuple):
        cell.data_type, cell._value = value
    elif isinstance(value, date | time):
        cell.number_format = "hh:mm" if isinstance(value, time) else "yyyy-mm-dd"
        cell.data_type, cell._value = "n", serial(value, False)
    else:
        cell.data_type = "b" if isinstance(value, bool) else "n"
        cell._value = value


def _parsed(cell: Any, text: str) -> object:
    if text.startswith("'"):
        return ("s", text[1:]) if len(text) > 1 else None
    if text == "":
        return None
    if re.fullmatch(r"[+-]?\d+(\.\d*)?(e[+-]?\d+)?", text.strip(), re.IGNORECASE):
        return float(text)
    if text[0] in "=+-@":
        return ("f", "=" + text.lstrip("=@"))
    if text.upper() in ("TRUE", "FALSE"):
        return text.upper() == "TRUE"
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        cell.number_format = "yyyy-mm-dd"
        return serial(datetime.fromisoformat(text), False)
    return ("s", text)


def _com(cell: Any, result: object) -> object:
    value = None if cell is None else cell._value
    if value is None:
        return None
    if cell.data_type == "f":
        return result
    if cell.data_type == "e" or value in _ERRORS:
        return _ERRORS[value]
    if isinstance(value, bool | str):
        return value
    number = serial(value, False) if isinstance(value, date | time) else float(value)  # type: ignore[arg-type]
    code = cell.number_format
    if date_kind(0, code) in ("d", "t", "dt") and 0 <= number < 2_958_466:
        return _EPOCH + timedelta(milliseconds=round(number * 86_400_000))
    return Decimal(str(round(number, 4))) if "€" in code else number


def _formula(cell: Any) -> object:
    value = None if cell is None else cell._value
    return "" if value is None else value if isinstance(value, str) else str(value)


def _name_header(page: Any, row: int, column: int) -> None:
    """A table's headers differ; one that is there already gets a number."""
    for table in page.tables.values():
        area = Area.parse(table.ref)
        if area is None or row != area.top or not area.holds(row, column):
            continue
        cell = page.cell(row, column)
        others = {page.cell(row, c)._value for c in range(area.left, area.right + 1) if c != column}
        if cell._value in others:
            _type(cell, f"'{cell._value}2")
