"""The sheet Start: what to do, with links, and how the last run went."""

from __future__ import annotations

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from fleetdesk.model.sheet_template import StartTemplate
from fleetdesk.sheets.template_style import INK, Styles

NOT_YET = "not yet"
_TEXT, _FIRST_LINK = 1, 2


def write_start(book: Workbook, styles: Styles, start: StartTemplate) -> None:
    """Add the sheet as the workbook's first."""
    page = book.add_worksheet(start.sheet)
    page.set_tab_color(INK)
    page.hide_gridlines(2)
    page.set_column(0, 0, 5)
    page.set_column(_TEXT, _TEXT, 46)
    page.set_column(_FIRST_LINK, _FIRST_LINK + 2, 19)
    page.set_row(0, 26)
    page.set_row(1, 18)
    page.write_string(0, 0, start.title, styles.title)
    page.write_string(1, 0, start.intro, styles.note)
    row = _write_steps(page, styles, start, top=3)
    row = _write_last_run(page, styles, start, top=row + 1)
    page.write_string(row + 1, _TEXT, "Cells in this colour are yours to fill in.", styles.legend)
    page.set_landscape()
    page.set_paper(9)  # A4
    page.fit_to_pages(1, 0)
    page.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.7)
    page.activate()


def _write_steps(page: Worksheet, styles: Styles, start: StartTemplate, top: int) -> int:
    page.write_string(top, 0, "What to do", styles.heading)
    page.set_row(top, 22)
    for number, step in enumerate(start.steps, start=1):
        row = top + number
        page.set_row(row, 21)
        page.write_number(row, 0, number, styles.number)
        page.write_string(row, _TEXT, step.text, styles.text)
        for offset, sheet in enumerate(step.sheets):
            page.write_url(
                row, _FIRST_LINK + offset, f"internal:'{sheet}'!A1", styles.link, sheet
            )  # fmt: skip
    return top + len(start.steps) + 1


def _write_last_run(page: Worksheet, styles: Styles, start: StartTemplate, top: int) -> int:
    page.write_string(top, 0, "Last run", styles.heading)
    page.set_row(top, 22)
    for number, line in enumerate(start.last_run, start=1):
        row = top + number
        page.set_row(row, 20)
        page.write_string(row, _TEXT, line.label, styles.label)
        formula = _last_of(start.run_log_table, line.column)
        page.write_formula(row, _FIRST_LINK, formula, styles.result(line.kind), NOT_YET)
    return top + len(start.last_run) + 1


def _last_of(table: str, column: str) -> str:
    """The column's last value; by INDIRECT, because the table comes only with the first run."""
    cells = f'INDIRECT("{table}[{column}]")'
    last = f"INDEX({cells},ROWS({cells}))"
    return f'=IFERROR(IF({last}="","{NOT_YET}",{last}),"{NOT_YET}")'
