"""Cell values and formats between Python and the JSON of the Google Sheets API.

Source: Sheets API v4, `CellData`, `ExtendedValue`, `NumberFormat`; dates are days since
30 December 1899.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

from fleetdesk.sheets.base import NUMBERS, CellStyle, Link, Value
from fleetdesk.sheets.styles import LOOK_OF, NUMBER_FORMATS, Look
from fleetdesk.sheets.values import MAX_EXACT_INTEGER, clean, date_kind, from_serial, serial

Json = dict[str, Any]
Mark = tuple[str, str]
"""What a cell holds, as compared between two readings: its kind and its content as text."""

_ERRORS = {
    "NULL_VALUE": "#NULL!",
    "DIVIDE_BY_ZERO": "#DIV/0!",
    "VALUE": "#VALUE!",
    "REF": "#REF!",
    "NAME": "#NAME?",
    "NUM": "#NUM!",
    "N_A": "#N/A",
    "LOADING": "#BUSY!",
}
_KINDS = {"DATE": "d", "TIME": "t", "DATE_TIME": "dt"}
_FORMAT_TYPES = {Look.DATE: "DATE", Look.TIME: "TIME", Look.DATETIME: "DATE_TIME"}
_LEAP_BUG_END = 61
"""Below this day Excel's calendar, which counts a 29 February 1900, is one day behind."""
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]")
"""Characters that no planner types and a service may drop."""
_WEB = re.compile(r"^(https?|mailto):", re.IGNORECASE)
_INSIDE = re.compile(r"^#(?:'((?:[^']|'')+)'|([^'!]+))!(.+)$")
_SHADES = {"ink": "1F3A4D", "pale": "5B6770", "white": "FFFFFF", "link": "0B5CAD", "head": "1F5A6E"}


def read_value(cell: Json) -> Value:
    """What the cell shows: numbers as dates and times where the cell's format shows them so."""
    effective = cell.get("effectiveValue") or {}
    if "boolValue" in effective:
        return bool(effective["boolValue"])
    if "stringValue" in effective:
        return str(effective["stringValue"]) or None
    if "errorValue" in effective:
        return _ERRORS.get(effective["errorValue"].get("type", ""), "#ERROR!")
    number = effective.get("numberValue")
    if number is None:
        return None
    kind = shown_kind(cell)
    return _moment(number, kind) if kind else number


def shown_kind(cell: Json) -> str:
    """`d`, `t`, `dt` or `e` when the cell's number shows as date, time, both or duration."""
    shown = (cell.get("effectiveFormat") or {}).get("numberFormat") or {}
    kind = _KINDS.get(shown.get("type", ""), "")
    if kind and shown.get("pattern"):
        return date_kind(-1, shown["pattern"]) or kind
    return kind


def mark_of(entered: Mapping[str, Any], kind: str) -> Mark:
    """What was entered, so that two readings of one content compare equal.

    Formulas count by their text, because results such as the time of day change by themselves;
    numbers by 15 digits, text without what is not typed.
    """
    if "formulaValue" in entered:
        return "f", str(entered["formulaValue"])
    if "numberValue" in entered:
        return f"n{kind}", f"{float(entered['numberValue']) + 0.0:.15g}"
    if "boolValue" in entered:
        return "b", str(bool(entered["boolValue"]))
    return "s", _UNSEEN.sub("", str(entered.get("stringValue", "")))


def entered(value: Value) -> tuple[Json, Look | None]:
    """What to enter for a value, and the look it needs whatever its column's is.

    Text is always text, whatever it begins with: this module writes no formula at all.
    """
    value = clean(value.text if isinstance(value, Link) else value)
    if value is None or isinstance(value, Link):
        return {}, None
    if isinstance(value, bool):
        return {"boolValue": value}, None
    if isinstance(value, str):
        return {"stringValue": value}, None
    if isinstance(value, date | time):
        look = Look.DATETIME if isinstance(value, datetime) else Look.DATE
        look = Look.TIME if isinstance(value, time) else look
        return {"numberValue": _serial(value)}, look
    plain = float(value)
    whole = plain.is_integer() and abs(plain) <= MAX_EXACT_INTEGER
    return {"numberValue": int(plain) if whole else plain}, None


def kind_of(look: Look | None) -> str:
    """The kind in which a number of this look is read back."""
    return _KINDS.get(_FORMAT_TYPES.get(look, ""), "") if look else ""


def cell_format(look: Look) -> Json:
    """A `CellFormat` for a look: number format, alignment and text."""
    made: Json = {
        "verticalAlignment": "MIDDLE" if look in (Look.TITLE, *_HEADERS) else "TOP",
        "wrapStrategy": "WRAP" if look in (Look.WRAPPED, *_HEADERS) else "CLIP",
        "textFormat": _text(look),
    }
    if look in (Look.TITLE, Look.NOTE, Look.KEPT):
        made["wrapStrategy"] = "OVERFLOW_CELL"
    if look in _FORMAT_TYPES:
        made["numberFormat"] = {"type": _FORMAT_TYPES[look], "pattern": NUMBER_FORMATS[look]}
    elif look in NUMBER_FORMATS:
        made["numberFormat"] = {"type": "NUMBER", "pattern": NUMBER_FORMATS[look]}
    elif look in (Look.TEXT, Look.WRAPPED, Look.LINK):
        made["horizontalAlignment"] = "LEFT"
    if look in _HEADERS:
        made["backgroundColorStyle"] = _colour("head")
        made["horizontalAlignment"] = "RIGHT" if look is Look.HEADER_RIGHT else "LEFT"
    return made


def column_look(style: CellStyle) -> tuple[Look, Look]:
    """The looks of a column's header and of its cells."""
    return Look.HEADER_RIGHT if style in NUMBERS else Look.HEADER, LOOK_OF[style]


def link_uri(target: str, sheet_ids: Mapping[str, int]) -> str:
    """Where a link leads from a Google Sheet, "" when it is a file there is none of on the web.

    `sheet_ids` maps names of sheets, also those in plans, to the ids their places are named by.
    """
    if _WEB.match(target):
        return target
    inside = _INSIDE.match(target)
    name = (inside[1] or "").replace("''", "'") or inside[2] if inside else ""
    if inside is None or name not in sheet_ids:
        return ""
    return f"#gid={sheet_ids[name]}&range={inside[3].replace('$', '')}"


def link_format(uri: str) -> Json:
    """A `CellFormat` for a clickable cell."""
    made = cell_format(Look.LINK)
    made["textFormat"] = {**made["textFormat"], "underline": True, "link": {"uri": uri}}
    return made


_HEADERS = (Look.HEADER, Look.HEADER_RIGHT)


def _text(look: Look) -> Json:
    match look:
        case Look.TITLE:
            return {"bold": True, "fontSize": 16, "foregroundColorStyle": _colour("ink")}
        case Look.NOTE | Look.KEPT:
            return {"italic": True, "fontSize": 10, "foregroundColorStyle": _colour("pale")}
        case Look.HEADER | Look.HEADER_RIGHT:
            return {"bold": True, "foregroundColorStyle": _colour("white")}
        case Look.LINK:
            return {"foregroundColorStyle": _colour("link")}
    return {}


def _colour(name: str) -> Json:
    red, green, blue = (int(_SHADES[name][at : at + 2], 16) / 255 for at in (0, 2, 4))
    return {"rgbColor": {"red": red, "green": green, "blue": blue}}


def _serial(value: date | time) -> float:
    days = serial(value, date1904=False)
    if isinstance(value, time) or days >= _LEAP_BUG_END:
        return days
    return days + 1


def _moment(number: float, kind: str) -> Value:
    dated = kind in ("d", "dt") and number < _LEAP_BUG_END
    found = from_serial(number - 1 if dated else number, kind, date1904=False)
    return number if isinstance(found, int | float) else found
