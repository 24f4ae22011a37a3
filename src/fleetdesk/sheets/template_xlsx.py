"""A blank planner's workbook as .xlsx: native tables, names, dropdowns, comments, print setup."""

from __future__ import annotations

import io
import os
import tempfile
import textwrap
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from fleetdesk.errors import WorkbookRefused
from fleetdesk.model.sheet_template import (
    Input,
    Layout,
    SheetTemplate,
    TemplateValue,
    WorkbookTemplate,
)
from fleetdesk.sheets.input_rules import row_height, rule_of
from fleetdesk.sheets.template_start import write_start
from fleetdesk.sheets.template_style import ACCENT, Styles

CREATED = datetime(2025, 1, 1)  # one fixed day, so that the same template is the same file
_TITLE_ROW, _INTRO_ROW, _HEAD_ROW = 0, 1, 3
_SPARE_ROWS = 500
_VALUE_COLUMN, _UNIT_COLUMN, _HELP_COLUMN = 1, 2, 3


def write_template(path: Path, template: WorkbookTemplate, *, created: datetime = CREATED) -> None:
    """Write a new workbook; a file that exists is never overwritten (WorkbookRefused)."""
    if path.exists():
        raise WorkbookRefused(
            f"There is already a file {path.name}",
            found=str(path),
            fix="Choose another name, or move that file away",
        )
    content = template_bytes(template, created=created)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".fleetdesk-", suffix=".xlsx")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def template_bytes(template: WorkbookTemplate, *, created: datetime = CREATED) -> bytes:
    """The workbook as bytes; the same template and date give the same bytes."""
    buffer = io.BytesIO()
    book = Workbook(
        buffer,
        {
            "in_memory": True,
            "default_format_properties": {"font_name": "Calibri", "font_size": 11},
        },
    )
    book.set_properties({"title": template.start.title, "created": created})
    styles = Styles(book)
    write_start(book, styles, template.start)
    for sheet in template.sheets:
        _write_sheet(book, styles, sheet, template)
    book.close()
    return buffer.getvalue()


def _write_sheet(
    book: Workbook, styles: Styles, sheet: SheetTemplate, template: WorkbookTemplate
) -> None:
    page = book.add_worksheet(sheet.sheet)
    page.set_tab_color(ACCENT)
    for column, width in enumerate(sheet.widths):
        body = styles.spare(sheet.inputs[column]) if sheet.layout is Layout.LIST else None
        page.set_column(column, column, width, body)
    page.set_row(_TITLE_ROW, 26, styles.plain)
    page.set_row(_INTRO_ROW, 18, styles.plain)
    page.set_row(_INTRO_ROW + 1, 8, styles.plain)
    page.write_string(_TITLE_ROW, 0, sheet.title, styles.title)
    page.write_string(_INTRO_ROW, 0, sheet.intro, styles.note)
    page.write_url(
        _TITLE_ROW, len(sheet.widths) - 1, f"internal:'{template.start.sheet}'!A1",
        styles.back_link, f"Back to {template.start.sheet}",
    )  # fmt: skip
    if sheet.layout is Layout.FORM:
        _write_form(book, page, styles, sheet)
    else:
        _write_list(page, styles, sheet)
    _set_up_print(page)


def _write_form(book: Workbook, page: Worksheet, styles: Styles, sheet: SheetTemplate) -> None:
    _add_table(page, styles, sheet, len(sheet.inputs))
    page.set_row(_HEAD_ROW, 22)
    page.freeze_panes(_HEAD_ROW + 1, 0)
    page.hide_gridlines(2)
    quoted = sheet.sheet.replace("'", "''")
    for offset, (entry, value) in enumerate(zip(sheet.inputs, sheet.rows[0], strict=True)):
        row = _HEAD_ROW + 1 + offset
        page.set_row(row, row_height(entry, sheet))
        page.write_string(row, 0, entry.label, styles.label)
        page.write_comment(row, 0, _comment(entry), _comment_size(_comment(entry)))
        _write_value(page, row, _VALUE_COLUMN, value, styles.form_input(entry))
        _write_unit(page, row, entry, sheet, styles)
        page.write_string(row, _HELP_COLUMN, entry.help, styles.help)
        page.data_validation(row, _VALUE_COLUMN, row, _VALUE_COLUMN, rule_of(entry))
        book.define_name(sheet.name_of(entry), f"='{quoted}'!$B${row + 1}")


def _write_unit(
    page: Worksheet, row: int, entry: Input, sheet: SheetTemplate, styles: Styles
) -> None:
    """A unit with money in it follows the currency that the planner sets."""
    shown, formula = entry.shown_unit(sheet.currency), sheet.unit_formula(entry)
    if formula is None:
        page.write_string(row, _UNIT_COLUMN, shown, styles.unit)
    else:
        page.write_formula(row, _UNIT_COLUMN, f"={formula}", styles.unit, shown)


def _write_list(page: Worksheet, styles: Styles, sheet: SheetTemplate) -> None:
    rows = sheet.rows or ((None,) * len(sheet.inputs),)
    _add_table(page, styles, sheet, len(rows))
    page.set_default_row(18)
    page.set_row(_HEAD_ROW, 34)
    page.freeze_panes(_HEAD_ROW + 1, 1)
    first, last = _HEAD_ROW + 1, _HEAD_ROW + len(rows) + _SPARE_ROWS
    for column, entry in enumerate(sheet.inputs):
        comment = _comment(entry)
        page.write_comment(_HEAD_ROW, column, comment, _comment_size(comment))
        page.data_validation(first, column, last, column, rule_of(entry))
        cell_format = styles.list_input(entry)
        for offset, row in enumerate(rows):
            _write_value(page, first + offset, column, row[column], cell_format)
    # Ids such as 101 are text here on purpose.
    page.ignore_errors({"number_stored_as_text": f"A{first + 1}:Z{last + 1}"})


def _add_table(page: Worksheet, styles: Styles, sheet: SheetTemplate, rows: int) -> None:
    if sheet.layout is Layout.LIST:
        looks = [styles.list_head(entry) for entry in sheet.inputs]
    else:
        looks = [styles.head(side, indent=1) for side in ("left", "right", "left", "left")]
    page.add_table(
        _HEAD_ROW, 0, _HEAD_ROW + rows, len(sheet.headers) - 1,
        {
            "name": sheet.table,
            "style": None,
            "autofilter": False,
            "columns": [
                {"header": head, "header_format": look}
                for head, look in zip(sheet.headers, looks, strict=True)
            ],
        },
    )  # fmt: skip


def _write_value(
    page: Worksheet, row: int, column: int, value: TemplateValue, cell_format: Any
) -> None:
    match value:
        case None | "":
            page.write_blank(row, column, None, cell_format)
        case bool():
            page.write_string(row, column, "yes" if value else "no", cell_format)
        case int() | float():
            page.write_number(row, column, value, cell_format)
        case date() | time():
            page.write_datetime(row, column, value, cell_format)
        case str():
            page.write_string(row, column, value, cell_format)


def _comment(entry: Input) -> str:
    expects = f"{entry.expects[0].upper()}{entry.expects[1:]}."
    return entry.help if entry.expects == "text" else f"{entry.help}\n{expects}"


def _comment_size(text: str) -> dict[str, Any]:
    lines = sum(len(textwrap.wrap(line, 38)) for line in text.splitlines())
    return {
        "author": "FleetDesk", "width": 250, "height": 14 + 17 * lines,
        "font_name": "Calibri", "font_size": 10, "color": "#FFFFFF",
    }  # fmt: skip


def _set_up_print(page: Worksheet) -> None:
    page.set_landscape()
    page.set_paper(9)  # A4
    page.fit_to_pages(1, 0)
    page.repeat_rows(_HEAD_ROW)
    page.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.7)
    page.set_footer("&L&9&A&R&9Page &P of &N")
