"""What is typed into a setting: as text in the planner's own number format, or chosen."""

from __future__ import annotations

from datetime import date, datetime, time

from PySide6.QtCore import QLocale

from fleetdesk.apps.desktop.widgets.columns import day_text
from fleetdesk.model.sheet_template import Input, InputKind

_CENTURY = 2000


class NotUsable(Exception):
    """What was typed is no value of that kind; the message says what is expected."""


def as_text(value: object, locale: QLocale, decimals: int = 0) -> str:
    """A value as the planner would type it, fractions with at least so many decimals."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int():
            return str(value)
        case float():
            whole, _, part = f"{value:.10f}".partition(".")
            part = part.rstrip("0").ljust(decimals, "0")
            return f"{whole}{locale.decimalPoint()}{part}" if part else whole
        case datetime():
            return f"{value:%Y-%m-%d %H:%M}"
        case time():
            return f"{value:%H:%M}"
        case date():
            return day_text(value, locale)
    return str(value)


def as_value(text: str, entry: Input, locale: QLocale) -> object:
    """The text in the setting's own kind; NotUsable says what is expected instead.

    Both the locale's decimal sign and the point are understood; bounds are checked here too, so
    that a slip is seen while typing.
    """
    text = text.strip()
    if not text:
        if entry.required:
            raise NotUsable(f"Enter {entry.expects}")
        return None
    match entry.kind:
        case InputKind.TEXT:
            if entry.longest and len(text) > entry.longest:
                raise NotUsable(f"At most {entry.longest} characters")
            return text
        case InputKind.CHOICE:
            if text not in entry.choices:
                raise NotUsable(f"Enter {entry.expects}")
            return text
        case InputKind.YES_NO:
            return text == "yes"
        case InputKind.TIME:
            return _time(text, entry)
        case InputKind.DATE:
            return _date(text, entry, locale)
    return _number(text, entry, locale)


def _number(text: str, entry: Input, locale: QLocale) -> int | float:
    plain = text.replace(locale.decimalPoint(), ".").replace(" ", "")
    try:
        number = float(plain)
    except ValueError:
        raise NotUsable(f"Enter {entry.expects}") from None
    low, high = entry.low, entry.high
    below = isinstance(low, int | float) and (number < low or (entry.open_low and number == low))
    above = isinstance(high, int | float) and (
        number > high or (entry.open_high and number == high)
    )
    if below or above or (entry.kind is InputKind.WHOLE and not number.is_integer()):
        raise NotUsable(f"Enter {entry.expects}")
    return int(number) if entry.kind is InputKind.WHOLE else number


def _time(text: str, entry: Input) -> time:
    try:
        hour, minute = text.split(":")[:2]
        return time(int(hour), int(minute))
    except ValueError:
        raise NotUsable(f"Enter {entry.expects}") from None


def _date(text: str, entry: Input, locale: QLocale) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        found = locale.toDate(text, QLocale.FormatType.ShortFormat, _CENTURY)
    if not found.isValid():
        raise NotUsable(f"Enter {entry.expects}")
    return date(found.year(), found.month(), found.day())
