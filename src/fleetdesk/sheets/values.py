"""What a cell can hold, between Python and the text of a sheet's XML.

Source: ECMA-376 part 1, 18.3.1 (cells), 18.17.4 (dates), 22.9.2.19 (ST_Xstring escapes).
"""

from __future__ import annotations

import math
import re
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from fleetdesk.sheets.base import Value

MAX_TEXT = 32_767
MAX_EXACT_INTEGER = 2**53

_EPOCH = {False: datetime(1899, 12, 30), True: datetime(1904, 1, 1)}
_LEAP_BUG_END = 60
"""Serials below this are one day off in the 1900 system, which counts a 29 February 1900."""
_DAY = 86_400_000
_LAST_DAY = 2_958_466
"""One day behind 31 December 9999, where Excel's calendar ends."""

SPECIAL = re.compile("[&<>\x00-\x1f\ufffe\uffff\ud800-\udfff]|_x[0-9A-Fa-f]{4}_|^\\s|\\s$|  ")
"""What makes text unfit to be put into XML as it is."""
_LITERAL_ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]")
_LONE = re.compile("[\ud800-\udfff]")

_FORMAT_NOISE = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)
_ELAPSED = re.compile(r"\[(h+|m+|s+)\]", re.IGNORECASE)
_BUILTIN_DATES = {14: "d", 15: "d", 16: "d", 17: "d", 18: "t", 19: "t", 20: "t", 21: "t", 22: "dt"}
_BUILTIN_DATES |= {27: "d", 28: "d", 29: "d", 30: "d", 31: "d", 32: "t", 33: "t", 34: "t", 35: "t"}
_BUILTIN_DATES |= {36: "d", 45: "t", 46: "e", 47: "t", **dict.fromkeys(range(50, 59), "d")}


def clean(value: Value) -> Value:
    """What a sheet can hold of a value: the one rule all adapters share.

    NaN, infinity and "" are empty cells; text is cut to what Excel holds and lone surrogates are
    replaced; whole numbers beyond 2**53, which Excel would round, become text; times lose their
    zone (the wall clock stays) and what is finer than a millisecond.
    """
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) <= MAX_EXACT_INTEGER else str(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, str):
        return clean_text(str(value)) or None
    if isinstance(value, datetime):
        if value != value:  # pandas' "not a time"
            return None
        value = value.replace(tzinfo=None, microsecond=value.microsecond // 1000 * 1000)
        return value if value.year >= 1900 else value.isoformat(" ")
    if isinstance(value, date):
        return value if value.year >= 1900 else value.isoformat()
    if isinstance(value, time):
        return value.replace(tzinfo=None, microsecond=value.microsecond // 1000 * 1000)
    return value


def clean_text(text: str) -> str:
    """Text that Excel can hold: at most 32,767 UTF-16 units, no lone surrogates."""
    if len(text) * 2 > MAX_TEXT and len(text.encode("utf-16-le", "surrogatepass")) > 2 * MAX_TEXT:
        cut = text.encode("utf-16-le", "surrogatepass")[: 2 * (MAX_TEXT - 1)]
        text = cut.decode("utf-16-le", "ignore") + "…"
    if text.isascii():
        return text
    return _LONE.sub("\ufffd", text)


def text_xml(text: str) -> tuple[str, bool]:
    """Text for an element's content, and whether it needs `xml:space="preserve"`."""
    if SPECIAL.search(text) is None:
        return text, False
    text = escape_xstring(text)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text, True


def escape_xstring(text: str) -> str:
    """Characters that XML cannot carry as `_xHHHH_`, and such text itself escaped."""
    text = _LITERAL_ESCAPE.sub("_x005F_", _LONE.sub("\ufffd", text))
    return _CONTROL.sub(lambda found: f"_x{ord(found[0]):04X}_", text)


def plain_text(text: str) -> str:
    """Text for XML that knows no `_xHHHH_` (drawings): what XML cannot carry is left out."""
    return _CONTROL.sub("", _LONE.sub("\ufffd", text))


def unescape_xstring(text: str) -> str:
    """`_x000D_` back to its character."""
    if "_x" not in text:
        return text
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


def serial(value: date | time, date1904: bool) -> float:
    """A date, time or both as Excel counts days."""
    if isinstance(value, time):
        return _milliseconds(value) / _DAY
    moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)
    days = (datetime(moment.year, moment.month, moment.day) - _EPOCH[date1904]).days
    if not date1904 and days <= _LEAP_BUG_END:
        days -= 1
    return (days * _DAY + _milliseconds(moment.time())) / _DAY


def from_serial(number: float, kind: str, date1904: bool) -> Value:
    """A serial as what its format (`d`, `t`, `dt`) shows; durations over a day stay numbers."""
    if not abs(number) < _LAST_DAY:
        return number
    total = round(number * _DAY)
    days, rest = divmod(total, _DAY)
    if kind in ("t", "e") and days == 0:
        return (datetime.min + timedelta(milliseconds=rest)).time()
    if kind == "e" or number < 0:
        return number
    if not date1904 and days < _LEAP_BUG_END:
        days += 1
    try:
        moment = _EPOCH[date1904] + timedelta(days=days, milliseconds=rest)
    except OverflowError:
        return number
    return moment.date() if kind == "d" and rest == 0 else moment


@lru_cache(maxsize=4096)
def date_kind(number_format: int, code: str | None) -> str:
    """`d`, `t`, `dt` or `e` when a number format shows a date, time, both or a duration."""
    if code is None:
        return _BUILTIN_DATES.get(number_format, "")
    first = _FORMAT_NOISE.sub("", code.partition(";")[0])
    if first.strip().lower() == "general":
        return ""
    if _ELAPSED.search(first):
        return "e"
    has_time = bool(re.search(r"[hs]|am/pm", first, re.IGNORECASE))
    has_date = bool(re.search("[dy]", first, re.IGNORECASE))
    if not has_time and not has_date and re.search("m", first, re.IGNORECASE):
        has_date = True
    return ("d" if has_date else "") + ("t" if has_time else "")


def _milliseconds(value: time) -> int:
    seconds = (value.hour * 60 + value.minute) * 60 + value.second
    return seconds * 1000 + value.microsecond // 1000
