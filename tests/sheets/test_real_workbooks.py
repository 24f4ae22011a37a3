"""Workbooks from the wild: written back, they keep every part that is not ours."""

from __future__ import annotations

import shutil
import warnings
import zipfile
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
from sheet_books import clock, raw_members, result

from fleetdesk.errors import WorkbookRefused
from fleetdesk.model.charts import Chart, ChartKind, Series
from fleetdesk.sheets.base import WritePlan
from fleetdesk.sheets.xlsx_file import XlsxFile

CHART = Chart(
    ChartKind.BAR, "What pays", "Task", "ROI", "EUR", "Task", (Series("ROI (EUR)", "#0072B2"),)
)
REFUSED = {"pass_protected.xlsx", "issue252.xlsx"}
"""One is encrypted, one has a wrong checksum in its relationships."""


def opens_in_openpyxl(path: Path) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Of a strict workbook it sees no sheet at all.
            return bool(openpyxl.load_workbook(path).sheetnames)
    except Exception:  # noqa: BLE001 - it fails in many ways on unusual files
        return False


@pytest.mark.real_data
def test_every_real_workbook_keeps_what_is_not_ours(shared_data: Path, tmp_path: Path) -> None:
    files = sorted((shared_data / "sheets").glob("*/*.xlsx"))
    assert len(files) > 50
    written = opened = 0
    refused = set()
    for source in files:
        path = tmp_path / source.name
        shutil.copyfile(source, path)
        book = XlsxFile(path, clock=clock)
        try:
            snapshot = book.snapshot()
        except WorkbookRefused:
            refused.add(source.name)
            assert path.read_bytes() == source.read_bytes()
            continue
        plan = WritePlan((replace(result("a", "b"), charts=(CHART,)), result("k", name="KPIs")))
        book.commit(plan, snapshot.fingerprint)
        book.commit(plan, book.snapshot([]).fingerprint)
        check_untouched(source, path)
        after = book.snapshot()
        assert after.sheets["KPIs"].cells[5, 1] == "k"
        assert len(charts(path)) == len(charts(source)) + 1, source.name
        for name, before in snapshot.sheets.items():
            assert after.sheets[name] == before, (source.name, name)
        written += 1
        if opens_in_openpyxl(source):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                again = openpyxl.load_workbook(path)
            assert again["Tasks"]["A6"].value == "b", source.name
            opened += 1
    assert refused == REFUSED
    assert written == len(files) - len(REFUSED)
    assert opened > 60


def charts(path: Path) -> list[str]:
    return [name for name in raw_members(path) if "charts/chart" in name.replace("\\", "/").lower()]


def check_untouched(source: Path, path: Path) -> None:
    before, after = raw_members(source), raw_members(path)
    changed = {name for name, data in before.items() if after.get(name) != data}
    plain = {name.replace("\\", "/").lower() for name in changed}
    allowed = {"[content_types].xml"}
    for name in plain - allowed:
        assert name.rpartition("/")[2] in ("workbook.xml", "workbook.xml.rels", "styles.xml"), name
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
