from __future__ import annotations

import csv
import io
from datetime import datetime

import pytest

from fleetdesk.outputs.csv_export import csv_text
from fleetdesk.sheets.base import Link, ResultColumn, ResultSheet


def sheet(*row) -> ResultSheet:
    columns = tuple(ResultColumn(f"c{i}") for i in range(len(row)))
    return ResultSheet("S", "S", "note", "S", columns, [row])


def read(text: str) -> list[str]:
    return list(csv.reader(io.StringIO(text, newline="")))[1]


@pytest.mark.parametrize(
    "start", ["=", "+", "-", "@", "\t", "\r", "\n", "  =", "＝", "＋", "－", "＠"]
)
def test_text_that_could_run_as_a_formula_is_quoted(start):
    (cell,) = read(csv_text(sheet(f"{start}cmd|' /C calc'!A0")))
    assert cell == f"'{start}cmd|' /C calc'!A0"


def test_numbers_stay_numbers_and_text_stays_itself():
    row = (-3.5, 2, None, True, "Ελένη, \"a\"\nb", datetime(2025, 6, 3, 9, 5),
           Link("https://example.org/?a=1", "go"), Link("#'Tasks'!A1", "=1+1"))  # fmt: skip
    assert read(csv_text(sheet(*row))) == [
        "-3.5", "2", "", "yes", "Ελένη, \"a\"\nb", "2025-06-03 09:05:00",
        "https://example.org/?a=1", "'=1+1",
    ]  # fmt: skip


def test_headers_are_safe_too():
    table = ResultSheet("S", "S", "n", "S", (ResultColumn("=1+1"),), [])
    assert csv_text(table) == "'=1+1\r\n"
