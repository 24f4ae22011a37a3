"""Workbooks for the tests of the sheet layer, and ways to look inside them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl

from fleetdesk.sheets.base import CellStyle, ResultColumn, ResultSheet, WritePlan
from fleetdesk.sheets.xlsx_file import XlsxFile

COLUMNS = (
    ResultColumn("Task", CellStyle.TEXT, 12),
    ResultColumn("ROI (EUR)", CellStyle.MONEY, 12),
    ResultColumn("Why", CellStyle.WRAPPED, 40),
)
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def clock() -> datetime:
    return datetime(2024, 5, 1, 10, 0, 0)


def result(
    *keys: str, name: str = "Tasks", columns: tuple[ResultColumn, ...] = COLUMNS
) -> ResultSheet:
    rows = [(key, 10.5 * i, f"why {key}", 1, 2)[: len(columns)] for i, key in enumerate(keys)]
    return ResultSheet(name, "Tasks today", "What pays.", name, columns, rows, key="Task")


def write(path: Path, *sheets: ResultSheet) -> Any:
    book = XlsxFile(path, clock=clock)
    return book.commit(WritePlan(sheets), book.snapshot([]).fingerprint)


def new_book(path: Path) -> Path:
    book = openpyxl.Workbook()
    book.active.title = "City"
    book.active["A1"] = "City"
    book.active["B1"] = "=1+1"
    book.save(path)
    return path


def parts(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def raw_members(path: Path) -> dict[str, bytes]:
    """The stored (compressed) bytes of every member."""
    data = path.read_bytes()
    found = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for info in archive.infolist():
            at = info.header_offset
            skip = int.from_bytes(data[at + 26 : at + 28], "little")
            skip += int.from_bytes(data[at + 28 : at + 30], "little")
            found[info.filename] = data[at : at + 30 + skip + info.compress_size]
    return found


def build(path: Path, members: Mapping[str, bytes | str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return path


def changed_parts(path: Path, changes: Mapping[str, bytes | None]) -> Path:
    """The same package with parts replaced, added or (None) removed."""
    content = {**parts(path), **changes}
    return build(path, {name: data for name, data in content.items() if data is not None})


def hand_made(path: Path, prefix: str = "x:", main: str = MAIN) -> Path:
    """The smallest workbook: prefixed names, no styles, no docProps, no theme."""
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    bound = f"xmlns:{prefix[:-1]}" if prefix else "xmlns"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml."
    p = prefix
    return build(
        path,
        {
            "[Content_Types].xml": f'<t:Types xmlns:t="{package}/content-types">'
            '<t:Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<t:Override PartName="/xl/workbook.xml" ContentType="{kind}sheet.main+xml"/>'
            f'<t:Override PartName="/xl/s.xml" ContentType="{kind}worksheet+xml"/></t:Types>',
            "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="a" '
            f'Type="{relation}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
            "xl/workbook.xml": f'<{p}workbook {bound}="{main}"><{p}sheets><{p}sheet name="City" '
            f'sheetId="7" xmlns:q="{relation}" q:id="rId9"/></{p}sheets></{p}workbook>',
            "xl/_rels/workbook.xml.rels": f'<r:Relationships xmlns:r="{package}/relationships">'
            f'<r:Relationship Id="rId9" Type="{relation}/worksheet" Target="s.xml"/>'
            "</r:Relationships>",
            "xl/s.xml": f'<{p}worksheet {bound}="{main}"><{p}sheetData><{p}row r="1"><{p}c r="A1" '
            f't="inlineStr"><{p}is><{p}t>City</{p}t></{p}is></{p}c></{p}row></{p}sheetData>'
            f"</{p}worksheet>",
        },
    )
