"""The planner's workbook drawn from the schema, filled with the values of some settings."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from fleetdesk.model.csv_guard import guarded
from fleetdesk.model.sheet_template import (
    FORM_HEADERS,
    Input,
    InputKind,
    LastRunLine,
    Layout,
    SheetTemplate,
    StartTemplate,
    Step,
    TemplateValue,
    WorkbookTemplate,
)
from fleetdesk.settings.fields import SECTIONS, TABLES, inputs_of, value_text
from fleetdesk.settings.schema import FORMS, SHEET_ORDER, Settings
from fleetdesk.settings.sheet import Sheet

_FORM_WIDTHS = (33.0, 28.0, 11.0, 86.0)
_WIDEST = 34.0
_ONE_LINE = 16


def templates_for(settings: Settings) -> WorkbookTemplate:
    """Every settings sheet with these values, in the order of the work, after the sheet Start."""
    sheets = tuple(_sheet(section, settings) for section in SHEET_ORDER)
    return WorkbookTemplate(_start(settings), sheets)


def csv_sheets(template: WorkbookTemplate) -> dict[str, str]:
    """The settings sheets as CSV by file name, for spreadsheets that import no workbook.

    Text that a spreadsheet would take for a formula gets an apostrophe in front.
    """
    return {f"{sheet.sheet}.csv": _csv(sheet) for sheet in template.sheets}


def _sheet(section: str, settings: Settings) -> SheetTemplate:
    kind = SECTIONS[section]
    content: Sheet | Sequence[Sheet] = getattr(settings, section)
    rows = [content] if isinstance(content, Sheet) else content
    inputs = inputs_of(kind)
    values = tuple(tuple(getattr(row, entry.key) for entry in inputs) for row in rows)
    currency = settings.city.currency
    headers = FORM_HEADERS if section in FORMS else [entry.header(currency) for entry in inputs]
    return SheetTemplate(
        sheet=kind.sheet,
        title=kind.sheet,
        intro=kind.intro,
        layout=Layout.FORM if section in FORMS else Layout.LIST,
        table=TABLES[section],
        inputs=inputs,
        rows=values,
        currency=currency,
        currency_name="City_currency",
        widths=_FORM_WIDTHS if section in FORMS else _list_widths(inputs, headers, values),
    )


def _list_widths(
    inputs: Sequence[Input], headers: Sequence[str], rows: Sequence[Sequence[TemplateValue]]
) -> tuple[float, ...]:
    """Wide enough for the values, and for the head on one line or two."""
    widths = []
    for index, header in enumerate(headers):
        words = max(len(word) for word in header.split())
        values = max((len(value_text(row[index])) for row in rows), default=0)
        head = len(header) + 3 if len(header) <= _ONE_LINE else len(header) / 2 + 5
        widest = max(words + 4, head, values + 4, _narrowest(inputs[index]))
        widths.append(float(min(round(widest), _WIDEST)))
    return tuple(widths)


def _narrowest(entry: Input) -> float:
    if entry.kind is InputKind.TEXT:
        return 26.0 if (entry.longest or 0) > 80 else 17.0
    return 12.0 if entry.kind is InputKind.DATE else 10.0


def _start(settings: Settings) -> StartTemplate:
    names = {section: kind.sheet for section, kind in SECTIONS.items()}
    currency = settings.city.currency
    return StartTemplate(
        sheet="Start",
        title=f"FleetDesk: {settings.city.name}",
        intro="Set what matters, run, and read tomorrow's tasks and routes in this workbook.",
        steps=(
            Step("Say where the fleet runs and which day to plan.", (names["city"],)),
            Step(
                "List who goes out and where vehicles stand.",
                (names["workers"], names["parkings"]),
            ),
            Step(
                "Say what makes a task, and an urgent one.",
                (names["weights"], names["thresholds"], names["task_rules"]),
            ),
            Step(
                "Check prices, costs, packages and offers.",
                (names["costs"], names["packages"], names["offers"]),
            ),
            Step("Say how routes are mailed to the workers.", (names["mail"],)),
            Step("Choose the questions that a run answers.", (names["questions"],)),
            Step("Save and close, then press Run in FleetDesk or type: fleetdesk run FILE"),
            Step("Open again: Tasks, Routes, ROI and KPIs are new; Issues lists what to mend."),
        ),
        run_log_table="RunLog",
        last_run=(
            LastRunLine("Run", "Run"),
            LastRunLine("Started", "Started", InputKind.DATE),
            LastRunLine("Result", "Result"),
            LastRunLine("Tasks planned", "Tasks planned", InputKind.WHOLE),
            LastRunLine(f"Profit ({currency})", "Profit", InputKind.NUMBER),
        ),
    )


def _csv(sheet: SheetTemplate) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(sheet.headers)
    for row in sheet.body():
        texts = ((value, value_text(value)) for value in row)
        writer.writerow(guarded(text) if isinstance(v, str) else text for v, text in texts)
    return out.getvalue()
