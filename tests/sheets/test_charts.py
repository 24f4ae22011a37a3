"""Charts and pictures on owned sheets: right ranges, right place, the planner's left alone."""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.chart import PieChart, Reference
from sheet_books import changed_parts, hand_made, new_book, parts, write

from fleetdesk.model.charts import Chart, ChartKind, Series
from fleetdesk.sheets.base import CellStyle, Image, ResultColumn, ResultSheet
from fleetdesk.sheets.chart_scale import scale
from fleetdesk.sheets.xml_spans import parse

COLUMNS = (
    ResultColumn("Band", CellStyle.TEXT, 12),
    ResultColumn("Low", CellStyle.INTEGER, 9),
    ResultColumn("Enough & more", CellStyle.INTEGER, 9),
)
CHART = Chart(
    ChartKind.STACKED, "Batteries <now>", "Band", "Vehicles", "", "Band",
    (Series("Low", "#E69F00", "Low (below 30 %)"), Series("Enough & more", "#56B4E9")),
    "Two are low.",
)  # fmt: skip


def sheet(rows: int = 3, charts: tuple[Chart, ...] = (CHART,), **more: Any) -> ResultSheet:
    values = [(f"{10 * i}–{10 * i + 10}", i, 2 * i) for i in range(rows)]
    return ResultSheet("Battery", "Batteries", "Now.", "Battery", COLUMNS, values, "Band", charts,
                       **more)  # fmt: skip


def png(width: int, height: int, shade: int = 200) -> bytes:
    def piece(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    pixels = b"".join(b"\0" + bytes([shade] * width) for _ in range(height))
    head = piece(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + piece(b"IDAT", zlib.compress(pixels)) + piece(b"IEND", b"")


def charts(path: Path) -> list[str]:
    return sorted(name for name in parts(path) if name.startswith("xl/charts/chart"))


def chart_text(path: Path, number: int = 0) -> str:
    return parts(path)[charts(path)[number]].decode()


def drawing(path: Path) -> str:
    return parts(path)["xl/drawings/drawing1.xml"].decode()


def corner(path: Path) -> tuple[int, int]:
    """Row and column of the first chart's corner, from 1."""
    marker = openpyxl.load_workbook(path)["Battery"]._charts[0].anchor._from
    return marker.row + 1, marker.col + 1


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return new_book(tmp_path / "book.xlsx")


@pytest.mark.parametrize("kind", list(ChartKind))
def test_openpyxl_reads_every_kind_with_ranges_and_stored_values(
    book: Path, kind: ChartKind
) -> None:
    write(book, sheet(charts=(replace(CHART, kind=kind),)))
    (chart,) = openpyxl.load_workbook(book)["Battery"]._charts
    assert [series.val.numRef.f for series in chart.series] == [
        "'Battery'!$B$5:$B$7", "'Battery'!$C$5:$C$7",
    ]  # fmt: skip
    stored = [[float(p.v) for p in series.val.numRef.numCache.pt] for series in chart.series]
    assert stored == [[0, 1, 2], [0, 2, 4]]
    names = [point.v for point in chart.series[0].cat.strRef.strCache.pt]
    assert names == ["0–10", "10–20", "20–30"]
    assert chart.series[0].tx.v == "Low (below 30 %)"
    assert chart.series[1].tx.strRef.strCache.pt[0].v == "Enough & more"
    assert chart.legend is not None


def test_numbers_as_categories_make_an_axis_of_numbers(book: Path) -> None:
    chart = Chart(ChartKind.STEP, "Curve", "Hours (h)", "Left", "%", "Hours (h)",
                  (Series("Left (%)", "#0072B2"),))  # fmt: skip
    columns = (ResultColumn("Hours (h)", CellStyle.DECIMAL), ResultColumn("Left (%)"))
    write(book, ResultSheet("S", "t", "n", "S", columns, [(0.0, 100.0), (4.0, None)], None,
                            (chart,)))  # fmt: skip
    (found,) = openpyxl.load_workbook(book)["S"]._charts
    assert type(found).__name__ == "ScatterChart"
    assert found.series[0].xVal.numRef.f == "'S'!$A$5:$A$6"
    assert [p.idx for p in found.series[0].yVal.numRef.numCache.pt] == [0]
    assert found.y_axis.scaling.max == 100
    assert found.legend is None


def test_a_second_run_with_the_same_result_changes_no_byte(book: Path) -> None:
    content = sheet(images=(Image(png(90, 40), "box"),))
    write(book, content)
    before = parts(book)
    write(book, content)
    assert parts(book) == before


def test_ranges_grow_and_shrink_with_the_table(book: Path) -> None:
    write(book, sheet(3))
    write(book, sheet(9))
    assert "'Battery'!$B$5:$B$13" in chart_text(book)
    write(book, sheet(2))
    assert "'Battery'!$B$5:$B$6" in chart_text(book)
    assert len(charts(book)) == 1


def test_a_renamed_sheet_is_named_in_the_ranges(book: Path) -> None:
    write(book, sheet())
    skeleton = parts(book)["xl/workbook.xml"].replace(b'name="Battery"', b'name="It\'s full"')
    changed_parts(book, {"xl/workbook.xml": skeleton})
    write(book, sheet(4))
    assert "'It''s full'!$B$5:$B$8" in chart_text(book)


def test_a_chart_stands_clear_of_the_planners_notes(book: Path) -> None:
    write(book, sheet())
    assert corner(book) == (5, 6)
    note(book, 6, 8, "call Maria")
    write(book, sheet())
    assert corner(book) == (5, 9)
    assert len(charts(book)) == 1
    note(book, 5, 60, "far away")
    write(book, sheet())
    assert corner(book) == (5, 9)


def test_a_chart_that_the_planner_moved_stays_there(book: Path) -> None:
    write(book, sheet())
    moved = drawing(book).replace("<xdr:row>4</xdr:row>", "<xdr:row>24</xdr:row>")
    moved = moved.replace("<xdr:row>21</xdr:row>", "<xdr:row>33</xdr:row>")
    changed_parts(book, {"xl/drawings/drawing1.xml": moved.encode()})
    write(book, sheet(5))
    assert drawing(book) == moved
    assert "$B$5:$B$9" in chart_text(book)


def test_a_chart_in_the_way_of_a_longer_table_steps_aside(book: Path) -> None:
    write(book, sheet())
    moved = re.sub(r"<xdr:from>.*?</xdr:to>", at(20, 1) + at(30, 3, "to"), drawing(book))
    changed_parts(book, {"xl/drawings/drawing1.xml": moved.encode()})
    write(book, sheet(40))
    assert corner(book) == (5, 6)


def test_charts_that_are_no_longer_drawn_leave_nothing_behind(book: Path) -> None:
    second = replace(CHART, title="Second")
    write(book, sheet(charts=(CHART, second), images=(Image(png(90, 40), "box"),)))
    whole = parts(book)
    assert {"xl/charts/chart2.xml", "xl/media/image1.png"} <= set(whole)
    write(book, sheet(charts=(CHART,)))
    after = parts(book)
    assert set(whole) - set(after) == {"xl/charts/chart2.xml", "xl/media/image1.png"}
    assert b"chart2" not in after["[Content_Types].xml"]
    assert b"chart2" not in after["xl/drawings/_rels/drawing1.xml.rels"]
    write(book, sheet(0))
    assert charts(book) == []
    assert "graphicFrame" not in drawing(book)


def test_a_picture_is_read_back_and_renewed_in_a_part_of_its_own(book: Path) -> None:
    write(book, sheet(images=(Image(png(90, 40), "a box"),)))
    (picture,) = openpyxl.load_workbook(book)["Battery"]._images
    assert (picture.width, picture.height) == (90, 40)
    write(book, sheet(images=(Image(png(90, 40, shade=10), "a dark box"),)))
    media = [data for name, data in parts(book).items() if name.startswith("xl/media/")]
    assert media == [png(90, 40, shade=10)]
    assert 'descr="a dark box"' in drawing(book)


def test_the_planners_chart_on_our_sheet_stays_byte_for_byte(book: Path) -> None:
    write(book, sheet())
    own_chart(book)
    theirs = {name: data for name, data in parts(book).items() if b"My pie" in data}
    assert len(theirs) == 1
    before = anchor_of(book, "planner's pie")
    write(book, sheet(6))
    write(book, sheet(2, charts=()))
    write(book, sheet(4))
    after = parts(book)
    assert all(after[name] == data for name, data in theirs.items())
    assert anchor_of(book, "planner's pie") == before
    assert len(openpyxl.load_workbook(book)["Battery"]._charts) == 2


def test_our_charts_join_a_drawing_that_the_planner_made_first(book: Path) -> None:
    write(book, sheet(charts=()))
    own_chart(book)
    before = drawing(book)
    write(book, sheet())
    after = drawing(book)
    head, tail = before.rsplit("</", 1)
    assert after.startswith(head)
    assert after.endswith("</" + tail)
    assert len(openpyxl.load_workbook(book)["Battery"]._charts) == 2
    ids = re.findall(r'cNvPr id="(\d+)"', after)
    assert len(set(ids)) == len(ids) == 2


def test_a_program_that_gives_charts_new_names_does_not_double_them(book: Path) -> None:
    write(book, sheet(charts=(CHART, replace(CHART, title="Second"))))
    for _ in range(2):
        openpyxl.load_workbook(book).save(book)
        write(book, sheet(4, charts=(CHART, replace(CHART, title="Second"))))
    assert len(charts(book)) == 2
    assert 'name="FleetDesk Battery chart 2"' in drawing(book)


def test_a_workbook_with_prefixed_names_gets_its_drawing_in_order(tmp_path: Path) -> None:
    path = hand_made(tmp_path / "book.xlsx")
    write(path, sheet())
    (page,) = (data for data in parts(path).values() if b"<drawing" in data)
    names = [child.local for child in parse(page, "sheet").children]
    assert names[-2:] == ["drawing", "tableParts"]
    assert len(openpyxl.load_workbook(path)["Battery"]._charts) == 1


def test_a_strict_workbook_gets_strict_charts(tmp_path: Path) -> None:
    strict = "http://purl.oclc.org/ooxml/spreadsheetml/main"
    path = hand_made(tmp_path / "book.xlsx", main=strict)
    write(path, sheet())
    text = chart_text(path) + drawing(path)
    assert "schemas.openxmlformats.org" not in text
    assert "http://purl.oclc.org/ooxml/drawingml/chart" in text


def test_new_parts_take_no_name_that_is_only_spoken_of(book: Path) -> None:
    content = parts(book)
    types = content["[Content_Types].xml"].replace(
        b"</Types>",
        b'<Override PartName="/xl/drawings/Drawing1.xml" ContentType="application/vnd.openxml'
        b'formats-officedocument.drawing+xml"/></Types>',
    )
    arrow = (
        b'<Relationship Id="rId77" Type="http://schemas.openxmlformats.org/officeDocument/'
        b'2006/relationships/chart" Target="charts/chart1.xml"/></Relationships>'
    )
    rels = content["xl/_rels/workbook.xml.rels"].replace(b"</Relationships>", arrow)
    changed_parts(book, {"[Content_Types].xml": types, "xl/_rels/workbook.xml.rels": rels})
    write(book, sheet())
    assert {"xl/drawings/drawing2.xml", "xl/charts/chart2.xml"} <= set(parts(book))
    assert "xl/charts/chart1.xml" not in parts(book)


def test_relationships_are_typed_where_the_package_types_each_part(book: Path) -> None:
    types = re.sub(rb'<Default Extension="rels"[^>]*/>', b"", parts(book)["[Content_Types].xml"])
    changed_parts(book, {"[Content_Types].xml": types})
    write(book, sheet())
    named = parts(book)["[Content_Types].xml"].decode()
    assert 'PartName="/xl/drawings/_rels/drawing1.xml.rels"' in named
    assert 'PartName="/xl/worksheets/_rels/sheet2.xml.rels"' in named


@pytest.mark.parametrize("wrong", [replace(CHART, categories="No such"), replace(CHART, series=())])
def test_a_chart_over_no_column_is_a_mistake(book: Path, wrong: Chart) -> None:
    with pytest.raises(ValueError, match="names no such columns"):
        write(book, sheet(charts=(wrong,)))


@pytest.mark.parametrize(
    ("values", "unit", "expected"),
    [
        ([], "", (0, 1, 1, "#,##0")),
        ([3, 70], "", (0, 70, 10, "#,##0")),
        ([1, 2], "", (0, 2, 1, "#,##0")),
        ([-56.2, 35.1], "EUR", (-60, 40, 20, "#,##0")),
        ([0.02, 0.11], "h", (0, 0.12, 0.02, "#,##0.00")),
        ([97.5, 3.0], "%", (0, 100, 20, "#,##0")),
    ],
)
def test_axes_end_on_round_numbers(
    values: list[float], unit: str, expected: tuple[float, float, float, str]
) -> None:
    found = scale(values, unit)
    assert (found.low, found.high, found.step, found.number_format) == pytest.approx(expected)


def at(row: int, column: int, tag: str = "from") -> str:
    return (
        f"<xdr:{tag}><xdr:col>{column}</xdr:col><xdr:colOff>0</xdr:colOff>"
        f"<xdr:row>{row}</xdr:row><xdr:rowOff>0</xdr:rowOff></xdr:{tag}>"
    )


def note(path: Path, row: int, column: int, text: str) -> None:
    """Type into a cell; nothing else changes."""
    content = parts(path)
    name = next(n for n, data in content.items() if b"<drawing" in data)
    letters = openpyxl.utils.get_column_letter(column)
    cell = f'<c r="{letters}{row}" t="inlineStr"><is><t>{text}</t></is></c>'
    page = re.sub(rf'(<row r="{row}"[^>]*>.*?)</row>', rf"\1{cell}</row>",
                  content[name].decode(), count=1)  # fmt: skip
    changed_parts(path, {name: page.encode()})


def own_chart(path: Path) -> None:
    """The planner adds a pie to our sheet, as a spreadsheet program stores it."""
    other = openpyxl.load_workbook(path)
    page = other["Battery"]
    page._charts.clear()
    pie = PieChart()
    pie.title = "My pie"
    pie.add_data(Reference(page, min_col=2, min_row=4, max_row=7), titles_from_data=True)
    page.add_chart(pie, "H30")
    made = path.with_name("pie.xlsx")
    other.save(made)
    theirs = parts(made)
    chart = next(data for name, data in theirs.items() if name.startswith("xl/charts/chart"))
    anchor = re.search(rb"<(oneCellAnchor).*</\1>", theirs["xl/drawings/drawing1.xml"], re.S)
    assert anchor is not None
    mine = anchor[0].replace(
        b"<oneCellAnchor",
        b'<oneCellAnchor xmlns="http://schemas.'
        b'openxmlformats.org/drawingml/2006/spreadsheetDrawing" '
        b'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
        b'xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart" '
        b'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"',
        1,
    )
    mine = re.sub(rb'name="[^"]*"', b'name="planner\'s pie"', mine, count=1)
    mine = re.sub(rb'cNvPr id="\d+"', b'cNvPr id="77"', mine, count=1)
    mine = mine.replace(b'r:id="rId1"', b'r:id="rId99"')
    content = parts(path)
    if "xl/drawings/drawing1.xml" not in content:
        content = with_drawing(path)
    rels = content["xl/drawings/_rels/drawing1.xml.rels"]
    relation = (
        b'<Relationship Id="rId99" Type="http://schemas.openxmlformats.org/officeDocument/'
        b'2006/relationships/chart" Target="../charts/chart50.xml"/></Relationships>'
    )
    types = content["[Content_Types].xml"].replace(
        b"</Types>",
        b'<Override PartName="/xl/charts/chart50.xml" ContentType="application/vnd.openxmlformats-'
        b'officedocument.drawingml.chart+xml"/></Types>',
    )
    changed_parts(
        path,
        {
            "xl/charts/chart50.xml": chart,
            "xl/drawings/drawing1.xml": content["xl/drawings/drawing1.xml"].replace(
                b"</xdr:wsDr>", mine + b"</xdr:wsDr>"
            ),
            "xl/drawings/_rels/drawing1.xml.rels": rels.replace(b"</Relationships>", relation),
            "[Content_Types].xml": types,
        },
    )  # fmt: skip


def with_drawing(path: Path) -> dict[str, bytes]:
    """An empty drawing on our sheet, as if the planner had just begun one."""
    content = parts(path)
    name = next(n for n, d in content.items() if b"<tableParts" in d and b"sheetData" in d)
    rels = f"xl/worksheets/_rels/{name.rpartition('/')[2]}.rels"
    page = content[name].replace(
        b"<tableParts",
        b'<drawing xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" '
        b'r:id="rIdD"/><tableParts',
    )
    base = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships/drawing"
    changed_parts(
        path,
        {
            name: page,
            rels: content[rels].replace(
                b"</Relationships>",
                b'<Relationship Id="rIdD" Type="' + base
                + b'" Target="../drawings/drawing1.xml"/></Relationships>',
            ),
            "xl/drawings/drawing1.xml": b'<xdr:wsDr xmlns:xdr="http://schemas.openxmlformats.org/'
            b'drawingml/2006/spreadsheetDrawing"></xdr:wsDr>',
            "xl/drawings/_rels/drawing1.xml.rels": b'<Relationships xmlns="http://schemas.'
            b'openxmlformats.org/package/2006/relationships"></Relationships>',
            "[Content_Types].xml": content["[Content_Types].xml"].replace(
                b"</Types>",
                b'<Override PartName="/xl/drawings/drawing1.xml" ContentType="application/vnd.'
                b'openxmlformats-officedocument.drawing+xml"/></Types>',
            ),
        },
    )  # fmt: skip
    return parts(path)


def anchor_of(path: Path, name: str) -> str:
    return next(
        found[0]
        for found in re.finditer(
            r"<(?:xdr:)?(oneCell|twoCell)Anchor.*?Anchor>", drawing(path), re.S
        )
        if name in found[0]
    )
