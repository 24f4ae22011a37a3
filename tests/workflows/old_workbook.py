"""A planner's workbook as version 1 of the settings made it, with the planner's own work in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import openpyxl
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.formatting.rule import CellIsRule
from openpyxl.styles import PatternFill
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.table import Table

from fleetdesk.settings.fields import SECTIONS
from fleetdesk.settings.schema import SHEET_ORDER, Settings
from fleetdesk.settings.template import templates_for
from fleetdesk.sheets.base import WritePlan
from fleetdesk.sheets.template_xlsx import write_template
from fleetdesk.sheets.xlsx_file import XlsxFile
from fleetdesk.workflows.run_sheets import empty_sheets

LABELS_OF_2 = {
    sheet.sheet: [entry.label for entry in sheet.inputs if entry.since > 1]
    for section, sheet in zip(SHEET_ORDER, templates_for(Settings()).sheets, strict=True)
    if SECTIONS[section].since == 1
}


def write_version_1(path: Path, settings: Settings) -> None:
    """The template without all that came later, and the manifest of that time."""
    template = templates_for(settings)
    old = [
        sheet.only([entry.key for entry in sheet.inputs if entry.since == 1])
        for section, sheet in zip(SHEET_ORDER, template.sheets, strict=True)
        if SECTIONS[section].since == 1
    ]
    write_template(path, replace(template, sheets=tuple(old)))
    book = XlsxFile(path)
    book.commit(WritePlan(empty_sheets(settings)), book.snapshot([]).fingerprint)


def decorate(path: Path) -> None:
    """What planners do: notes, formulas, a chart, a rule, a table of their own further down."""
    book = openpyxl.load_workbook(path)
    page = book["Thresholds"]
    last = page.tables["Thresholds"].ref.rpartition("D")[2]
    page["F5"] = "my own note"
    page["F6"] = '=COUNTIF(Thresholds[Value],">0")'
    page["F7"] = f"=SUM(B5:B{last})"
    page["G5"] = "=B5*2"
    page["F5"].comment = Comment("ask Maria", "planner")
    page.conditional_formatting.add(
        f"B5:B{last}", CellIsRule(operator="lessThan", formula=["0"], fill=PatternFill("solid"))
    )
    rule = DataValidation(type="list", formula1='"a,b"')
    rule.add("G5:G40")
    page.add_data_validation(rule)
    chart = BarChart()
    chart.title = "My chart"
    chart.add_data(Reference(page, min_col=2, min_row=5, max_row=7))
    page.add_chart(chart, "I3")
    top = int(last) + 20
    for row, values in enumerate([("My list", "Count"), ("a", 1), ("b", 2)], start=top):
        for column, value in enumerate(values, start=1):
            page.cell(row, column).value = value
    page.add_table(Table(displayName="MyList", ref=f"A{top}:B{top + 2}"))
    page.cell(top + 4, 2).value = "=SUM(MyList[Count])"
    book.create_sheet("My sums")["A1"] = "=Thresholds!B5+Thresholds_low_battery_pct"
    book.save(path)
