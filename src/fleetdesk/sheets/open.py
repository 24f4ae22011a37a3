"""The one door to a planner's workbook: an address in, a `Workbook` out."""

from __future__ import annotations

from pathlib import Path

from fleetdesk.errors import WorkbookRefused
from fleetdesk.sheets.base import Workbook
from fleetdesk.sheets.excel_app import PREFIX as EXCEL
from fleetdesk.sheets.excel_live import ExcelLive
from fleetdesk.sheets.google import connect, sheet_key
from fleetdesk.sheets.google_auth import SecretOf, no_secrets
from fleetdesk.sheets.xlsx_file import XlsxFile

ACCEPTED = (".xlsx", ".xlsm")

_FIXES = {
    ".xls": "it is the old Excel format; open it in Excel or LibreOffice and save it as .xlsx",
    ".xlsb": "it is a binary workbook; open it in Excel and save it as .xlsx",
    ".ods": "it is an OpenDocument sheet; open it in LibreOffice and save it as .xlsx",
    ".csv": "it is plain text; open it in Excel or LibreOffice and save it as .xlsx",
    ".xltx": "it is a template; open it in Excel and save it as .xlsx",
}


def open_workbook(address: str | Path, secret: SecretOf = no_secrets) -> Workbook:
    """The workbook at a path ending in .xlsx or .xlsm, in Excel, or at a Google Sheet's address.

    `excel:` is the active workbook of a running Excel, `excel:NAME.xlsx` another one open there.
    Anything else is refused with the fix. `secret` gives the keys of who signed in, by name.
    """
    if str(address).startswith(EXCEL):
        return ExcelLive(str(address).removeprefix(EXCEL).strip())
    key = sheet_key(str(address))
    if key is not None:
        return connect(key, secret)
    if str(address).startswith(("http:/", "https:/")):  # a Path has one slash
        raise WorkbookRefused(
            f"{address} is not the address of a Google Sheet",
            found="a web address of another form",
            fix="Open the sheet in the browser and copy the address whole; it begins with "
            "https://docs.google.com/spreadsheets/d/",
        )
    path = Path(address)
    if path.is_dir():
        raise WorkbookRefused(
            f"{address} is a folder, not a workbook",
            found=", ".join(sorted(each.name for each in path.glob("[!~.]*.xls[xm]"))[:5])
            or "no workbook in it",
            fix=f"Name the workbook in it, such as {path / 'FleetDesk.xlsx'}",
        )
    suffix = path.suffix.lower()
    if suffix not in ACCEPTED:
        raise WorkbookRefused(
            f"{path.name or address} is not a workbook FleetDesk can use",
            found=_FIXES.get(suffix, f"a name ending in {suffix}" if suffix else "no file ending"),
            fix=f"Give a file that ends in {' or '.join(ACCEPTED)}",
        )
    return XlsxFile(path)
