"""LibreOffice opens what was written and recalculates the planner's formulas over it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import openpyxl
import pytest
from sheet_books import new_book, result, write

OFFICE = shutil.which("soffice")
ALWAYS_RECALCULATE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item></oor:items>
"""
"""Without it LibreOffice shows the values that the file holds."""


@pytest.mark.slow
@pytest.mark.skipif(OFFICE is None, reason="LibreOffice (soffice) is not installed")
def test_the_planner_s_formulas_see_the_new_rows(tmp_path: Path) -> None:
    path = new_book(tmp_path / "book.xlsx")
    write(path, result("a", "b"))
    book = openpyxl.load_workbook(path)
    book["City"]["B2"] = "=SUM(Tasks!B5:B999)"
    book["City"]["B3"] = "=COUNTA(Tasks!A5:A999)"
    book.save(path)
    write(path, result("a", "b", "=1+1", "d"))
    after = openpyxl.load_workbook(recalculated(path, tmp_path), data_only=True)
    assert after["City"]["B2"].value == pytest.approx(10.5 * (0 + 1 + 2 + 3))
    assert after["City"]["B3"].value == 4
    assert after["Tasks"]["A7"].value == "=1+1"


def recalculated(path: Path, folder: Path) -> Path:
    user = folder / "profile" / "user"
    user.mkdir(parents=True)
    (user / "registrymodifications.xcu").write_text(ALWAYS_RECALCULATE, encoding="utf-8")
    out = folder / "opened"
    subprocess.run(
        [
            str(OFFICE),
            f"-env:UserInstallation={user.parent.as_uri()}",
            "--headless",
            "--convert-to",
            "xlsx",
            "--outdir",
            str(out),
            str(path),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    return out / path.name
