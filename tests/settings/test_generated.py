"""The reference page and the blank workbooks are drawn from the schema and may not drift from it.

`python tests/settings/test_generated.py` (with src on the path) draws them anew.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from fleetdesk.settings.reference import reference_page
from fleetdesk.settings.starter import starter_settings
from fleetdesk.settings.template import csv_sheets, templates_for
from fleetdesk.sheets.template_xlsx import template_bytes

CHECKOUT = Path(__file__).resolve().parents[2]
PAGE = CHECKOUT / "docs" / "settings.md"
WORKBOOK = CHECKOUT / "workbooks" / "planner.xlsx"
CSV_FOLDER = CHECKOUT / "sheets_templates"
REDRAW = "draw it anew: PYTHONPATH=src python tests/settings/test_generated.py"


def test_the_reference_page_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == reference_page(), REDRAW


def test_the_csv_sheets_are_up_to_date():
    found = {path.name: path.read_text(encoding="utf-8") for path in CSV_FOLDER.glob("*.csv")}
    assert found == csv_sheets(templates_for(starter_settings())), REDRAW


def test_the_blank_workbook_is_up_to_date():
    fresh = template_bytes(templates_for(starter_settings()))
    # Parts are compared, not the packed bytes: those depend on the machine's zlib.
    assert parts(WORKBOOK.read_bytes()) == parts(fresh), REDRAW


def parts(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def draw() -> None:
    template = templates_for(starter_settings())
    for folder in (PAGE.parent, WORKBOOK.parent, CSV_FOLDER):
        folder.mkdir(exist_ok=True)
    PAGE.write_text(reference_page(), encoding="utf-8", newline="\n")
    WORKBOOK.write_bytes(template_bytes(template))
    for name, text in csv_sheets(template).items():
        (CSV_FOLDER / name).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    draw()
