"""Makes the macro-enabled launcher: `python build/make_launcher.py [--out FOLDER] [--python EXE]`.

The VBA project is the one that the installed xlwings ships for workbooks that stand alone (its
BSD-licensed part); it is read from the package and never kept in the repository.
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import shutil
import sys
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import xlsxwriter

from fleetdesk.sheets.excel_launcher import ACTION, MESSAGE, NAME, SHEET, WORKBOOK, Action
from fleetdesk.sheets.template_style import ACCENT, INK, INPUT_FILL, LINE, QUIET

TOP = Path(__file__).resolve().parent.parent
SOURCES = TOP / "workbooks" / "launcher"
MACRO = "SampleCall"
CONFIG = "xlwings.conf"


def main(argv: list[str]) -> int:
    """Make the launcher and the module beside it, and say where they are."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--out", type=Path, default=TOP / "dist" / "launcher")
    options.add_argument("--python", default="", help="path of the python.exe that Run shall use")
    asked = options.parse_args(argv)
    for path in make(asked.out, asked.python):
        print(path)
    return 0


def make(out: Path, python: str = "") -> tuple[Path, Path]:
    """Write the launcher and the module into a folder; both replace older ones."""
    out.mkdir(parents=True, exist_ok=True)
    workbook, module = out / f"{NAME}.xlsm", out / f"{NAME}.py"
    book = xlsxwriter.Workbook(str(workbook))
    # A fixed day, so that the same sources make the same file.
    book.set_properties({"title": "FleetDesk launcher", "created": datetime(2025, 1, 1)})
    book.add_vba_project(io.BytesIO(vba_project()), is_stream=True)
    book.set_vba_name("ThisWorkbook")
    _launcher_sheet(book)
    _config_sheet(book, python)
    book.close()
    shutil.copyfile(SOURCES / module.name, module)
    return workbook, module


def vba_project() -> bytes:
    """The VBA project of the workbook that the installed xlwings starts new projects from."""
    package = importlib.util.find_spec("xlwings")
    if package is None or not package.submodule_search_locations:
        sys.exit("xlwings is not installed. Install fleetdesk[excel] and run again.")
    quickstart = Path(package.submodule_search_locations[0]) / "quickstart_standalone.xlsm"
    with zipfile.ZipFile(quickstart) as archive:
        return archive.read("xl/vbaProject.bin")


def _launcher_sheet(book: Any) -> None:
    page = book.add_worksheet(SHEET)
    # The document modules of the VBA project have these names.
    page.set_vba_name("Sheet1")
    page.hide_gridlines(2)
    page.set_column("A:A", 3)
    page.set_column("B:B", 24)
    page.set_column("C:C", 44)
    page.set_column("D:D", 18)
    title = book.add_format({"bold": True, "font_size": 16, "font_color": ACCENT})
    note = book.add_format({"font_color": QUIET})
    label = book.add_format({"bold": True, "font_color": INK, "valign": "vcenter"})
    typed = book.add_format(
        {"bg_color": INPUT_FILL, "border": 1, "border_color": LINE, "num_format": "@"}
    )
    said = book.add_format(
        {"text_wrap": True, "valign": "top", "border": 1, "border_color": LINE, "font_color": INK}
    )
    page.write_string("B2", "FleetDesk launcher", title)
    page.write_string("B3", "Works on the FleetDesk workbook that is open beside it.", note)
    page.set_row(4, 24)
    page.set_row(5, 24)
    page.write_string("B5", "What Run does", label)
    page.write_string(ACTION, Action.RUN, typed)
    page.data_validation(
        ACTION,
        {
            "validate": "list",
            "source": [str(action) for action in Action],
            "error_title": "What Run does",
            "error_message": f"Choose one of: {', '.join(Action)}",
        },
    )
    page.write_string("B6", "Workbook", label)
    page.write_string(WORKBOOK, "", typed)
    page.write_blank(WORKBOOK, None, typed)
    page.write_comment(WORKBOOK, "Its name as Excel shows it. Empty: the one that you used last.")
    page.insert_button("D5", {"macro": MACRO, "caption": "Run", "width": 110, "height": 62})
    page.write_string("B8", "What came of it", label)
    page.merge_range("B9:D9", "Nothing yet.", said)
    assert MESSAGE == "B9"
    page.set_row(8, 210)
    page.write_string("B11", "How to use it", label)
    for row, line in enumerate((SOURCES / "how-to.txt").read_text("utf-8").splitlines(), start=11):
        page.write_string(row, 1, line, note)


def _config_sheet(book: Any, python: str) -> None:
    page = book.add_worksheet(CONFIG)
    page.set_vba_name("Sheet2")
    page.set_column("A:A", 32)
    page.set_column("B:B", 60)
    for row, (key, value) in enumerate(
        [("Interpreter_Win", python), ("ADD_WORKBOOK_TO_PYTHONPATH", "True")]
    ):
        page.write_string(row, 0, key)
        page.write_string(row, 1, value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
