"""How a setting's cell looks and what may be typed into it, as XlsxWriter takes it and as XML."""

from __future__ import annotations

import textwrap
from datetime import date, time
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from fleetdesk.model.sheet_template import FORM_HEADERS, MONEY, Input, InputKind, SheetTemplate
from fleetdesk.sheets.values import escape_xstring, serial

_LINE_HEIGHT = 15.75
_HELP_COLUMN = len(FORM_HEADERS) - 1
_TITLE, _MESSAGE = 32, 255  # the most letters that Excel shows


def number_format(entry: Input) -> str:
    """The format in which a setting's value is shown."""
    match entry.kind:
        case InputKind.TEXT | InputKind.CHOICE:
            return "@"
        case InputKind.TIME:
            return "hh:mm"
        case InputKind.DATE:
            return "yyyy-mm-dd"
        case InputKind.WHOLE:
            return "0"
        case InputKind.NUMBER if entry.unit.startswith(MONEY) or entry.high == 1:
            return "0.00"
        case InputKind.NUMBER if entry.unit == "deg":
            return "0.00000"
    return "General"


def row_height(entry: Input, sheet: SheetTemplate) -> float:
    """Points that a form's row needs for the setting's help."""
    lines = len(textwrap.wrap(entry.help, int(sheet.widths[_HELP_COLUMN] * 1.05)))
    return 4 + _LINE_HEIGHT * max(1, lines)


def rule_of(entry: Input) -> dict[str, Any]:
    """The rule as XlsxWriter's `data_validation` takes it."""
    rule: dict[str, Any] = {"validate": "any"}
    match entry.kind:
        case InputKind.YES_NO:
            rule = {"validate": "list", "source": ["yes", "no"]}
        case InputKind.CHOICE:
            rule = {"validate": "list", "source": list(entry.choices)}
        case InputKind.WHOLE | InputKind.NUMBER:
            kind = "integer" if entry.kind is InputKind.WHOLE else "decimal"
            rule = _between(kind, entry.low, entry.high)
        case InputKind.TIME:
            rule = _between("time", time(0, 0), time(23, 59, 59))
        case InputKind.DATE:
            rule = _between("date", entry.low, entry.high)
    if entry.choices_from:
        table, column = entry.choices_from
        rule = {"validate": "list", "source": f'=INDIRECT("{table}[{column}]")'}
    expects = f"{entry.expects[0].upper()}{entry.expects[1:]}."
    return rule | {
        "input_title": entry.label[:_TITLE],
        "input_message": expects[:_MESSAGE],
        "error_title": entry.label[:_TITLE],
        "error_message": f"Enter {entry.expects}."[:_MESSAGE],
    }


def rule_xml(entry: Input, place: str, prefix: str, date1904: bool) -> bytes:
    """The same rule for the cells `place` as a sheet's XML keeps it."""
    rule, p = rule_of(entry), prefix
    kind = {"any": "none", "integer": "whole"}.get(rule["validate"], rule["validate"])
    limits: list[str] = []
    if kind == "list":
        source = rule["source"]
        limits = [source[1:] if isinstance(source, str) else f'"{",".join(source)}"']
    elif "minimum" in rule:
        limits = [_limit(rule[name], date1904) for name in ("minimum", "maximum")]
    shown = {
        "type": kind,
        "allowBlank": "1",
        "showInputMessage": "1",
        "showErrorMessage": "1",
        "errorTitle": rule["error_title"],
        "error": rule["error_message"],
        "promptTitle": rule["input_title"],
        "prompt": rule["input_message"],
        "sqref": place,
    }
    attrs = "".join(f" {name}={quoteattr(escape_xstring(text))}" for name, text in shown.items())
    formulas = "".join(
        f"<{p}formula{number}>{escape(limit)}</{p}formula{number}>"
        for number, limit in enumerate(limits, start=1)
    )
    return f"<{p}dataValidation{attrs}>{formulas}</{p}dataValidation>".encode()


def _between(kind: str, low: object, high: object) -> dict[str, Any]:
    return {"validate": kind, "criteria": "between", "minimum": low, "maximum": high}


def _limit(value: float | date | time, date1904: bool) -> str:
    return repr(serial(value, date1904)) if isinstance(value, date | time) else str(value)
