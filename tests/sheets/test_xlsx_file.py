"""The writer leaves everything that is not ours byte for byte, and writes valid sheets."""

from __future__ import annotations

import re
from pathlib import Path

import openpyxl
import pytest
from openpyxl.styles import Font, PatternFill
from openpyxl.worksheet.table import Table
from sheet_books import (
    COLUMNS,
    build,
    changed_parts,
    clock,
    hand_made,
    new_book,
    parts,
    raw_members,
    result,
    write,
)

from fleetdesk.errors import WorkbookRefused
from fleetdesk.sheets.base import CellStyle, Link, ResultColumn, ResultSheet, WritePlan
from fleetdesk.sheets.layout import KEPT_LABEL
from fleetdesk.sheets.open import open_workbook
from fleetdesk.sheets.xlsx_file import XlsxFile

SKELETON = {"xl/workbook.xml", "xl/_rels/workbook.xml.rels", "[Content_Types].xml", "xl/styles.xml"}


def test_parts_that_are_not_ours_are_the_same_bytes_in_the_same_order(tmp_path: Path) -> None:
    path = new_book(tmp_path / "b.xlsx")
    changed_parts(path, {"custom/notes.bin": b"\x00\x01", "xl/media/p.png": b"png"})
    before = raw_members(path)
    write(path, result("a"), result("k", name="KPIs"))
    after = raw_members(path)
    untouched = [name for name in before if name not in SKELETON]
    assert len(untouched) > 4
    assert all(after[name] == before[name] for name in untouched)
    assert [name for name in after if name in before] == list(before)


def test_a_second_write_leaves_the_skeleton_alone(tmp_path: Path) -> None:
    path = new_book(tmp_path / "b.xlsx")
    write(path, result("a"))
    before = raw_members(path)
    write(path, result("b", "c"))
    changed = {name for name, data in raw_members(path).items() if before.get(name) != data}
    assert "xl/styles.xml" not in changed
    assert "[Content_Types].xml" not in changed
    assert not changed - {
        "xl/workbook.xml", "xl/worksheets/sheet2.xml", "xl/worksheets/sheet3.xml",
        "xl/tables/table1.xml",
    }  # fmt: skip


def test_counts_among_other_figures_are_shown_whole(tmp_path: Path) -> None:
    path = new_book(tmp_path / "b.xlsx")
    figures = (ResultColumn("Value", CellStyle.NUMBER),)
    write(path, ResultSheet("KPIs", "t", "n", "Kpis", figures, [(120,), (2.5,), (3.0,)]))
    page = openpyxl.load_workbook(path)["KPIs"]
    shown = [page.cell(row, 1).number_format for row in (5, 6, 7)]
    assert shown == ["#,##0", "#,##0.00", "#,##0.00"]


def test_a_macro_workbook_keeps_its_macros(tmp_path: Path) -> None:
    path = new_book(tmp_path / "b.xlsx").rename(tmp_path / "b.xlsm")
    changed_parts(path, {"xl/vbaProject.bin": b"\xd0\xcf macros"})
    book = open_workbook(path)
    book.commit(WritePlan((result("a"),)), book.snapshot().fingerprint)
    assert parts(path)["xl/vbaProject.bin"] == b"\xd0\xcf macros"


def test_the_same_plan_and_file_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = new_book(tmp_path / "a.xlsx"), tmp_path / "b.xlsx"
    second.write_bytes(first.read_bytes())
    write(first, result("a", "b"))
    write(second, result("a", "b"))
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("prefix", ["x:", ""])
def test_prefixed_names_and_missing_styles(tmp_path: Path, prefix: str) -> None:
    path = hand_made(tmp_path / "b.xlsx", prefix)
    write(path, result("a", "b"))
    write(path, result("b", "c"))
    snapshot = XlsxFile(path).snapshot()
    assert snapshot.sheet_names == ("City", "Tasks", "_fleetdesk")
    assert snapshot.sheets["City"].cells == {(1, 1): "City"}
    assert snapshot.sheets["Tasks"].cells[6, 1] == "c"
    book = openpyxl.load_workbook(path)
    assert book["Tasks"]["A1"].font.b
    assert book["Tasks"].tables["Tasks"].ref == "A4:C6"


def test_a_prefixed_owned_sheet_is_rewritten(tmp_path: Path) -> None:
    path = new_book(tmp_path / "b.xlsx")
    write(path, result("a"))
    content = parts(path)["xl/worksheets/sheet2.xml"].decode()
    prefixed = re.sub(r"<(/?)(?=[a-zA-Z])", r"<\1x:", content).replace("xmlns=", "xmlns:x=")
    changed_parts(path, {"xl/worksheets/sheet2.xml": prefixed.encode()})
    write(path, result("b", "c"))
    assert openpyxl.load_workbook(path)["Tasks"]["A6"].value == "c"


def test_sheets_come_after_visible_ones_and_names_move_with_them(tmp_path: Path) -> None:
    path = tmp_path / "b.xlsx"
    book = openpyxl.Workbook()
    book.active.title = "City"
    hidden = book.create_sheet("Lists")
    hidden.sheet_state = "hidden"
    hidden.print_title_rows = "1:1"
    book.save(path)
    write(path, result("a"))
    write(path, result("a"), result("k", name="KPIs"))
    after = openpyxl.load_workbook(path)
    assert after.sheetnames == ["City", "Tasks", "KPIs", "Lists", "_fleetdesk"]
    assert after["Lists"].print_title_rows == "$1:$1"
    assert after["_fleetdesk"].sheet_state == "veryHidden"


def test_excel_is_asked_to_calculate_and_a_chain_is_only_dropped_when_needed(
    tmp_path: Path,
) -> None:
    path = new_book(tmp_path / "b.xlsx")
    types = parts(path)["[Content_Types].xml"].replace(
        b"</Types>",
        b'<Override PartName="/xl/calcChain.xml" ContentType="application/vnd.openxmlformats-'
        b'officedocument.spreadsheetml.calcChain+xml"/></Types>',
    )
    rels = parts(path)["xl/_rels/workbook.xml.rels"].replace(
        b"</Relationships>",
        b'<Relationship Id="rIdC" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
        b'relationships/calcChain" Target="calcChain.xml"/></Relationships>',
    )
    chain = b'<calcChain xmlns="m"><c r="B1" i="1"/></calcChain>'
    changed_parts(path, {
        "[Content_Types].xml": types, "xl/_rels/workbook.xml.rels": rels, "xl/calcChain.xml": chain,
    })  # fmt: skip
    write(path, result("a"))
    after = parts(path)
    assert b'fullCalcOnLoad="1"' in after["xl/workbook.xml"]
    assert after["xl/calcChain.xml"] == chain
    sheet = after["xl/worksheets/sheet2.xml"].replace(
        b'<c r="B5" s', b'<c r="B5"><f>1+1</f><v>2</v></c><c r="B5" s', 1
    )
    changed_parts(path, {"xl/worksheets/sheet2.xml": sheet})
    write(path, result("b"))
    after = parts(path)
    assert "xl/calcChain.xml" not in after
    assert b"calcChain" not in after["[Content_Types].xml"]
    assert b"calcChain" not in after["xl/_rels/workbook.xml.rels"]


def test_columns_added_to_the_table_stay_in_it(tmp_path: Path) -> None:
    path = new_book(tmp_path / "b.xlsx")
    write(path, result("a", "b"))
    book = openpyxl.load_workbook(path)
    page = book["Tasks"]
    page["D4"], page["D5"] = "Note", "call Maria"
    old = page.tables.pop("Tasks")
    table = Table(displayName="Tasks", ref="A4:D6", tableStyleInfo=old.tableStyleInfo)
    page.add_table(table)
    book.save(path)
    write(path, result("b", "c", "a"))
    after = openpyxl.load_workbook(path)["Tasks"]
    assert after.tables["Tasks"].ref == "A4:D7"
    assert after.tables["Tasks"].column_names == ["Task", "ROI (EUR)", "Why", "Note"]
    assert after["D7"].value == "call Maria"
    wider = (*COLUMNS, ResultColumn("Note"), ResultColumn("Rank", CellStyle.INTEGER))
    write(path, result("a", "b", columns=wider))
    after = openpyxl.load_workbook(path)["Tasks"]
    assert after.tables["Tasks"].ref == "A4:F6"
    assert after.tables["Tasks"].column_names[3:] == ["Note", "Rank", "Note (2)"]
    assert after["F4"].value in ("Note", "Note (2)")
    assert after["F5"].value == "call Maria"


def test_a_calculated_column_fills_every_row(tmp_path: Path) -> None:
    path = new_book(tmp_path / "b.xlsx")
    write(path, result("a", "b"))
    content = parts(path)
    sheet = content["xl/worksheets/sheet2.xml"].decode()
    for row, text in (("4", ' t="inlineStr"><is><t>Net</t></is>'), ("5", "><f>B5*2</f><v>0</v>")):
        sheet = re.sub(
            f'(<row r="{row}".*?)</row>', rf'\1<c r="D{row}"{text}</c></row>', sheet, count=1
        )
    table = content["xl/tables/table1.xml"].decode().replace("A4:C6", "A4:D6")
    table = table.replace('count="3"', 'count="4"').replace(
        "</tableColumns>",
        '<tableColumn id="9" name="Net"><calculatedColumnFormula>B5*2</calculatedColumnFormula>'
        "</tableColumn></tableColumns>",
    )
    changed_parts(path, {
        "xl/worksheets/sheet2.xml": sheet.encode(), "xl/tables/table1.xml": table.encode(),
    })  # fmt: skip
    write(path, result("a", "b", "c"))
    page = openpyxl.load_workbook(path)["Tasks"]
    assert [page[f"D{row}"].value for row in range(4, 8)] == ["Net", "=B5*2", "=B5*2", "=B5*2"]
    write(path, result("a"))
    page = openpyxl.load_workbook(path)["Tasks"]
    assert [page[f"D{row}"].value for row in range(5, 8)] == ["=B5*2", None, None]


def test_a_totals_row_stays_below_the_data(tmp_path: Path) -> None:
    path = new_book(tmp_path / "b.xlsx")
    write(path, result("a", "b"))
    content = parts(path)
    sheet = content["xl/worksheets/sheet2.xml"].decode().replace(
        "</sheetData>", '<row r="7"><c r="B7"><f>SUBTOTAL(109,Tasks[ROI (EUR)])</f><v>10.5</v></c>'
        "</row></sheetData>",
    )  # fmt: skip
    table = content["xl/tables/table1.xml"].decode().replace(' ref="A4:C6" totalsRowShown="0"',
        ' ref="A4:C7" totalsRowCount="1"')  # fmt: skip
    changed_parts(path, {
        "xl/worksheets/sheet2.xml": sheet.encode(), "xl/tables/table1.xml": table.encode(),
    })  # fmt: skip
    write(path, result("a", "b", "c", "d"))
    page = openpyxl.load_workbook(path)["Tasks"]
    assert page.tables["Tasks"].ref == "A4:C9"
    assert page.tables["Tasks"].autoFilter.ref == "A4:C8"
    assert page["B9"].value == "=SUBTOTAL(109,Tasks[ROI (EUR)])"
    assert page["A8"].value == "d"


def test_what_a_planner_set_on_an_owned_sheet_stays(tmp_path: Path) -> None:
    path = new_book(tmp_path / "b.xlsx")
    write(path, result("a", "b"))
    book = openpyxl.load_workbook(path)
    page = book["Tasks"]
    page.column_dimensions["A"].width = 33
    page.conditional_formatting.add(
        "B5:B9", openpyxl.formatting.rule.CellIsRule(operator="lessThan", formula=["0"])
    )
    page["E1"].comment = openpyxl.comments.Comment("look here", "Maria")
    page["E2"].hyperlink = "https://example.org/"
    page.merge_cells("H1:I2")
    page.sheet_view.zoomScale = 80
    book.save(path)
    write(path, result("b", "c", "d"))
    page = openpyxl.load_workbook(path)["Tasks"]
    assert page.column_dimensions["A"].width == 33
    assert [str(area.sqref) for area in page.conditional_formatting] == ["B5:B9"]
    assert page["E1"].comment.text == "look here"
    assert page["E2"].hyperlink.target == "https://example.org/"
    assert str(page.merged_cells) == "H1:I2"
    assert page.sheet_view.zoomScale == 80


def test_what_a_planner_coloured_in_our_table_goes_with_its_row(tmp_path: Path) -> None:
    path = new_book(tmp_path / "b.xlsx")
    write(path, result("a", "b", "c"))
    book = openpyxl.load_workbook(path)
    page = book["Tasks"]
    page["B6"].fill = PatternFill("solid", fgColor="FFFFFF00")
    page["A6"].fill = PatternFill("solid", fgColor="FFFFFF00")
    page["C7"].font = Font(strike=True, color="FFC00000")
    book.save(path)  # which writes every format anew

    def looks() -> dict[str, list[object]]:
        page = openpyxl.load_workbook(path)["Tasks"]
        return {
            row[0].value: [
                (cell.fill.fgColor.rgb if cell.fill.fill_type else "", bool(cell.font.strike))
                for cell in row
            ]
            for row in page.iter_rows(min_row=5, max_col=3)
            if row[0].value
        }  # fmt: skip

    plain = ("", False)
    yellow, struck = ("FFFFFF00", False), ("", True)
    wanted = {"b": [yellow, yellow, plain], "c": [plain, plain, struck], "d": [plain] * 3}
    write(path, result("c", "d", "b"))
    assert looks() == wanted
    page = openpyxl.load_workbook(path)["Tasks"]
    assert page["B7"].number_format == page["B6"].number_format == "#,##0.00"
    before = raw_members(path)["xl/styles.xml"]
    write(path, result("c", "d", "b"))
    assert looks() == wanted
    assert raw_members(path)["xl/styles.xml"] == before
    write(path, result("d"))
    assert looks() == {"d": [plain] * 3}


def test_a_planners_table_in_the_way_is_refused(tmp_path: Path) -> None:
    path = new_book(tmp_path / "b.xlsx")
    write(path, result("a"))
    book = openpyxl.load_workbook(path)
    page = book["Tasks"]
    page["A8"], page["A9"] = "Mine", 1
    page.add_table(Table(displayName="Mine", ref="A8:A9"))
    book.save(path)
    before = path.read_bytes()
    with pytest.raises(WorkbookRefused, match="Your table Mine"):
        write(path, result(*"abcdefg"))
    assert path.read_bytes() == before
    write(path, result("a", "b"))
    assert openpyxl.load_workbook(path)["Tasks"]["A8"].value == "Mine"


def test_a_table_of_the_planners_with_our_name_is_refused(tmp_path: Path) -> None:
    path = new_book(tmp_path / "b.xlsx")
    book = openpyxl.load_workbook(path)
    book["City"].add_table(Table(displayName="tasks", ref="A1:A2"))
    book.save(path)
    with pytest.raises(WorkbookRefused, match="a table of your own"):
        write(path, result("a"))


def test_a_table_turned_into_plain_cells_is_still_ours(tmp_path: Path) -> None:
    path = new_book(tmp_path / "b.xlsx")
    write(path, result("a", "b"))
    book = openpyxl.load_workbook(path)
    del book["Tasks"].tables["Tasks"]
    book["Tasks"]["D5"] = "call Maria"
    book.save(path)
    write(path, result("b", "a"))
    page = openpyxl.load_workbook(path)["Tasks"]
    assert page.tables["Tasks"].ref == "A4:C6"
    assert page["D6"].value == "call Maria"


def test_rows_and_columns_inserted_before_the_table_stay(tmp_path: Path) -> None:
    path = new_book(tmp_path / "b.xlsx")
    write(path, result("a", "b"))
    content = parts(path)
    sheet = content["xl/worksheets/sheet2.xml"].decode()
    sheet = re.sub(r'r="([A-Z])(\d+)"', lambda m: f'r="{chr(ord(m[1]) + 1)}{int(m[2]) + 2}"', sheet)
    sheet = re.sub(r'<row r="(\d+)"', lambda m: f'<row r="{int(m[1]) + 2}"', sheet)
    sheet = sheet.replace(
        '<row r="7">', '<row r="7"><c r="A7" t="inlineStr"><is><t>first</t></is></c>', 1
    )
    table = content["xl/tables/table1.xml"].decode().replace("A4:C6", "B6:D8")
    changed_parts(path, {
        "xl/worksheets/sheet2.xml": sheet.encode(), "xl/tables/table1.xml": table.encode(),
    })  # fmt: skip
    write(path, result("b", "a", "c"))
    page = openpyxl.load_workbook(path)["Tasks"]
    assert page.tables["Tasks"].ref == "B6:D9"
    assert (page["B3"].value, page["B6"].value, page["B8"].value) == ("Tasks today", "Task", "a")
    assert page["A8"].value == "first"


def test_links_lead_where_they_should(tmp_path: Path) -> None:
    path = new_book(tmp_path / "b.xlsx")
    targets = [
        "https://example.org/a b?x=1&y=\"2\"", "outputs/map of α.html", "#'City'!A1",
        "javascript:alert(1)", str(tmp_path / "deep" / "x#1.html"),
    ]  # fmt: skip
    rows = [(Link(target, f"go {i}"),) for i, target in enumerate(targets)]
    sheet = ResultSheet("L", "t", "n", "L", (ResultColumn("Where", CellStyle.LINK),), rows)
    write(path, sheet)
    write(path, sheet)
    page = openpyxl.load_workbook(path)["L"]
    found = [page[f"A{row}"].hyperlink for row in range(5, 10)]
    assert found[0].target == "https://example.org/a%20b?x=1&y=%222%22"
    assert found[1].target == "outputs/map%20of%20%CE%B1.html"
    assert found[2].location == "'City'!A1"
    assert found[3] is None
    assert found[4].target == "deep/x%231.html"
    relationships = parts(path)["xl/worksheets/_rels/sheet2.xml.rels"]
    assert relationships.count(b"/hyperlink") == 3


def test_a_link_follows_a_renamed_sheet(tmp_path: Path) -> None:
    path = new_book(tmp_path / "b.xlsx")
    write(path, result("a"))
    book = openpyxl.load_workbook(path)
    book["Tasks"].title = "Monday's"
    book.save(path)
    link = Link("#'Tasks'!A5", "see")
    write(path, ResultSheet("L", "t", "n", "L", (ResultColumn("W", CellStyle.LINK),), [(link,)]))
    assert openpyxl.load_workbook(path)["L"]["A5"].hyperlink.location == "'Monday''s'!A5"


def test_a_note_with_a_link_takes_it_along(tmp_path: Path) -> None:
    path = new_book(tmp_path / "b.xlsx")
    write(path, result("a", "b"))
    book = openpyxl.load_workbook(path)
    book["Tasks"]["E5"] = "see"
    book["Tasks"]["E5"].hyperlink = "https://example.org/"
    book.save(path)
    write(path, result("b", "a"))
    page = openpyxl.load_workbook(path)["Tasks"]
    assert page["E6"].hyperlink.target == "https://example.org/"
    assert page["E5"].hyperlink is None


def test_the_kept_block_can_be_deleted(tmp_path: Path) -> None:
    path = new_book(tmp_path / "b.xlsx")
    write(path, result("a", "b"))
    book = openpyxl.load_workbook(path)
    book["Tasks"]["D5"] = "gone soon"
    book.save(path)
    write(path, result("b"))
    book = openpyxl.load_workbook(path)
    for row in book["Tasks"].iter_rows(min_row=6):
        for cell in row:
            cell.value = None
    book.save(path)
    write(path, result("b"))
    values = XlsxFile(path).snapshot(["Tasks"]).sheets["Tasks"].cells.values()
    assert KEPT_LABEL not in values
    assert "gone soon" not in values


def test_errors_and_dates_of_the_1904_calendar_are_seen(tmp_path: Path) -> None:
    path = tmp_path / "b.xlsx"
    book = openpyxl.Workbook()
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    book.active["A1"] = clock()
    book.active["A2"] = "#REF!"
    book.save(path)
    assert XlsxFile(path).snapshot().sheets["Sheet"].cells == {(1, 1): clock(), (2, 1): "#REF!"}
    when = (ResultColumn("When", CellStyle.DATETIME),)
    write(path, ResultSheet("D", "t", "n", "D", when, [(clock(),)]))
    assert XlsxFile(path).snapshot(["D"]).sheets["D"].cells[5, 1] == clock()


def test_other_rows_of_the_hidden_sheet_stay(tmp_path: Path) -> None:
    path = new_book(tmp_path / "b.xlsx")
    book = openpyxl.load_workbook(path)
    page = book.create_sheet("_fleetdesk")
    page.sheet_state = "hidden"
    page.append(["schema_version", 1])
    book.save(path)
    write(path, result("a"))
    cells = XlsxFile(path).snapshot(["_fleetdesk"]).sheets["_fleetdesk"].cells
    assert (cells[1, 1], cells[1, 2]) == ("schema_version", 1)
    assert (cells[2, 1], cells[3, 1]) == ("manifest_version", "owned")


def test_a_manifest_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    path = new_book(tmp_path / "b.xlsx")
    book = openpyxl.load_workbook(path)
    book.create_sheet("_fleetdesk").append(["manifest_version", 99])
    book.save(path)
    with pytest.raises(WorkbookRefused, match="newer FleetDesk"):
        write(path, result("a"))


def test_many_rows_are_one_valid_sheet(tmp_path: Path) -> None:
    path = new_book(tmp_path / "b.xlsx")
    keys = [f"T{index}" for index in range(1203)]
    write(path, result(*keys))
    write(path, result(*reversed(keys)))
    page = openpyxl.load_workbook(path, read_only=True)["Tasks"]
    assert [row[0] for row in page.iter_rows(min_row=5, values_only=True)] == keys[::-1]


def test_a_workbook_in_another_encoding(tmp_path: Path) -> None:
    path = hand_made(tmp_path / "b.xlsx")
    content = parts(path)
    again = {n: ('<?xml version="1.0" encoding="UTF-16"?>' + d.decode()).encode("utf-16")
             for n, d in content.items() if n.startswith("xl/")}  # fmt: skip
    build(path, {**content, **again})
    write(path, result("a"))
    assert XlsxFile(path).snapshot().sheets["City"].cells == {(1, 1): "City"}
    assert XlsxFile(path).snapshot().sheet_names[1] == "Tasks"


def test_wide_tables_print_on_pages_that_can_be_read_each_with_its_heads(tmp_path: Path) -> None:
    path = new_book(tmp_path / "b.xlsx")
    columns = tuple(ResultColumn(f"C{number}", width=50) for number in range(7))
    rows = [tuple(range(7))]
    wide = ResultSheet("It's wide", "Wide", "", "Wide", columns, rows, key="C2")
    write(path, result("a"), wide)
    book = openpyxl.load_workbook(path)
    assert book["It's wide"].page_setup.fitToWidth == 2
    assert book["Tasks"].page_setup.fitToWidth == 1
    assert [book[name].print_title_rows for name in ("Tasks", "It's wide")] == ["$4:$4"] * 2
    assert [book[name].print_title_cols for name in ("Tasks", "It's wide")] == [None, "$A:$C"]
    book["It's wide"].print_title_cols = "B:B"
    book.save(path)
    write(path, result("a"), wide)
    kept = openpyxl.load_workbook(path)["It's wide"]
    assert (kept.print_title_rows, kept.print_title_cols) == ("$4:$4", "$B:$B")
