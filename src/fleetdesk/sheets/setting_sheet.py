"""A whole settings sheet for a workbook that was made before there was such a sheet.

It is drawn as a result is, but entered in no manifest: from then on it is the planner's.
"""

from __future__ import annotations

from fleetdesk.model.sheet_template import (
    FORM_HEADERS,
    Layout,
    SheetTemplate,
)
from fleetdesk.sheets.a1 import Area, address, column_letters
from fleetdesk.sheets.base import CellStyle, ResultColumn, ResultSheet
from fleetdesk.sheets.input_rules import rule_xml
from fleetdesk.sheets.owned import Ownership, defined_names
from fleetdesk.sheets.parts import Book
from fleetdesk.sheets.setting_rows import typed

_ROOM = 200
"""Rows below a list's head in which its rules hold, for the rows that planners will add."""


def whole_sheet_obstacle(book: Book, ownership: Ownership, new: SheetTemplate) -> str:
    """Why the sheet cannot be added; "" when it can."""
    if book.sheet(new.sheet) is not None:
        return f"there is a sheet of your own named {new.sheet}"
    if new.table.casefold() in ownership.tables:
        return f"there is a table of your own named {new.table}"
    if new.table.casefold() in defined_names(book):
        return f"the name {new.table} is used for something else"
    return ""


def as_sheet(new: SheetTemplate) -> ResultSheet:
    """The settings as a table with title and introduction."""
    form = new.layout is Layout.FORM
    styles = [CellStyle.TEXT] * len(new.headers)
    if form:
        styles[FORM_HEADERS.index("What it does")] = CellStyle.WRAPPED
    return ResultSheet(
        sheet=new.sheet,
        title=new.title,
        note=new.intro,
        table_name=new.table,
        columns=tuple(
            ResultColumn(header, style, width)
            for header, style, width in zip(new.headers, styles, new.widths, strict=True)
        ),
        rows=[tuple(typed(value) for value in row) for row in new.body()],
    )


def rules(new: SheetTemplate, area: Area, prefix: str, date1904: bool) -> bytes:
    """What may be typed into the cells of the table at `area`, as the sheet's XML keeps it."""
    found = []
    for number, entry in enumerate(new.inputs):
        if new.layout is Layout.FORM:
            column = area.left + FORM_HEADERS.index("Value")
            place = address(area.top + 1 + number, column)
        else:
            letters = column_letters(area.left + number)
            place = f"{letters}{area.top + 1}:{letters}{area.bottom + _ROOM}"
        found.append(rule_xml(entry, place, prefix, date1904))
    opened = f'<{prefix}dataValidations count="{len(found)}">'.encode()
    return opened + b"".join(found) + f"</{prefix}dataValidations>".encode()


def value_names(new: SheetTemplate, area: Area) -> list[tuple[str, str]]:
    """The workbook-wide names of a form's value cells, and what they refer to."""
    if new.layout is not Layout.FORM:
        return []
    letters = column_letters(area.left + FORM_HEADERS.index("Value"))
    quoted = new.sheet.replace("'", "''")
    return [
        (new.name_of(entry), f"'{quoted}'!${letters}${row}")
        for row, entry in enumerate(new.inputs, start=area.top + 1)
    ]
