"""One cell's value as what the setting needs, or what is wrong with it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from fleetdesk.model.sheet_template import Input, InputKind, TemplateValue
from fleetdesk.settings.fields import number_text
from fleetdesk.settings.secrets import scrub
from fleetdesk.settings.words import closest, normal

YES = frozenset({"yes", "y", "true", "ναι", "ναί"})
NO = frozenset({"no", "n", "false", "όχι", "οχι"})
CELL_ERROR = re.compile(r"#(REF|N/A|NAME|DIV/0|VALUE|NUM|NULL|SPILL|CALC|FIELD|BUSY|ERROR)[!?]?")
_NUMBER_TEXT = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)\s*%?")
_EPOCH = datetime(1899, 12, 30)  # day 0 of the sheets' calendar
_DAY_S = 86_400
_EXACT = 10**15  # up to here a spreadsheet keeps every whole number


class Uncomputed:
    """Stands for a formula whose result was never stored."""


UNCOMPUTED = Uncomputed()


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a cell cannot be used: what was found, what was expected, how to mend it."""

    found: str
    expected: str
    fix: str


def is_blank(value: object) -> bool:
    """Nothing in the cell, or only white space."""
    return value is None or (isinstance(value, str) and not value.strip())


def convert(value: object, field: Input) -> TemplateValue | Fault:
    """The value in the type of the setting; bounds are left to the schema."""
    if isinstance(value, Uncomputed):
        return Fault(
            "the formula", "has no stored result", "Open and save the file in Excel once, or enter "
            f"{field.expects}",
        )  # fmt: skip
    if isinstance(value, str) and "#" in value and CELL_ERROR.fullmatch(value.strip()):
        return Fault(value.strip(), "is an error of the spreadsheet",
                     f"Mend the formula or enter {field.expects}")  # fmt: skip
    if isinstance(value, float) and not math.isfinite(value):
        return Fault(str(value), "is not a number", f"Enter {field.expects}")
    return _CONVERTERS[field.kind](value, field)


def show(value: object) -> str:
    """A value as a planner would read it; text in quotes, a login in an address masked."""
    match value:
        case bool():
            return "TRUE" if value else "FALSE"
        case int():
            return str(value) if abs(value) < 10**15 else f"{value:.6g}"
        case float():
            return number_text(value)
        case datetime():
            return f"{value:%Y-%m-%d %H:%M}"
        case date():
            return value.isoformat()
        case time():
            return f"{value:%H:%M}"
        case str():
            text = scrub(value.strip())
            return f"'{text if len(text) <= 60 else text[:57] + '...'}'"
    return str(value)


def _text(value: object, field: Input) -> TemplateValue | Fault:
    match value:
        case str():
            return value.strip()
        case bool():
            pass
        case int() | float() if value == int(value):
            return str(int(value))
        case float():
            return repr(value)
        case date() | time():
            return Fault(show(value), "is a date or time, not text",
                         "Format the cell as text, then type it again")  # fmt: skip
    return _not(value, field)


def _whole(value: object, field: Input) -> TemplateValue | Fault:
    if type(value) is int and abs(value) < _EXACT:
        return value
    number = _number(value, field)
    if isinstance(number, Fault):
        return number
    assert isinstance(number, float)
    if not number.is_integer():
        return Fault(show(value), "is not a whole number", f"Enter {field.expects}")
    return int(number)


def _number(value: object, field: Input) -> TemplateValue | Fault:
    if type(value) is float:
        return value
    match value:
        case bool():
            return _not(value, field)
        case int() if abs(value) > 10**300:
            return Fault("the number", "is far too large", f"Enter {field.expects}")
        case int() | float():
            return float(value)
        case str() if _NUMBER_TEXT.fullmatch(value.strip()):
            return _number_as_text(value.strip(), field)
        case date() | time() | timedelta():
            return Fault(show(value), "is a date or time, not a number",
                         f"Format the cell as a number and enter {field.expects}")  # fmt: skip
    return _not(value, field)


def _number_as_text(text: str, field: Input) -> Fault:
    if "%" in text:
        return Fault(show(text), "is text, not a number", f"Enter {field.expects}")
    comma = "," in text
    return Fault(
        show(text),
        f"is text{' with a decimal comma' if comma else ''}, not a number",
        f"Format the cell as a number and enter {text.replace(',', '.')}"
        + (" (with a comma if your spreadsheet shows decimals so)" if comma else ""),
    )


def _yes_no(value: object, field: Input) -> TemplateValue | Fault:
    if isinstance(value, bool):
        return value
    word = value.strip().casefold() if isinstance(value, str) else ""
    if word in YES or word in NO:
        return word in YES
    return _not(value, field)


def _choice(value: object, field: Input) -> TemplateValue | Fault:
    text = _text(value, field)
    if isinstance(text, Fault):
        return text
    found = next((choice for choice in field.choices if normal(choice) == normal(str(text))), None)
    if found is not None:
        return found
    alike = closest(str(text), field.choices)
    hint = f"; did you mean '{alike}'?" if alike else ""
    return Fault(show(value), f"is not one of the choices{hint}", f"Enter {field.expects}")


def _time(value: object, field: Input) -> TemplateValue | Fault:
    match value:
        case datetime() if value.year > 1900:
            return Fault(show(value), "has a day in it", f"Enter {field.expects}")
        case datetime() if value.time() == time() and value > _EPOCH:
            return _fraction(1.0, value, field)  # a whole day, which libraries show as day 1
        case datetime():
            return _second(value.time())
        case time():
            return _second(value)
        case timedelta():
            return _fraction(value.total_seconds() / _DAY_S, value, field)
        case bool():
            return _not(value, field)
        case int() | float():
            return _fraction(float(value), value, field)
        case str() if re.fullmatch(r"([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d)?", value.strip()):
            return time.fromisoformat(
                value.strip() if value.strip()[2] == ":" else f"0{value.strip()}"
            )
    return _not(value, field)


def _fraction(days: float, value: object, field: Input) -> TemplateValue | Fault:
    seconds = round(days * _DAY_S)
    if seconds == _DAY_S:
        return Fault("24:00", "is not a time of this day", "Enter 23:59")
    if not 0 <= seconds < _DAY_S:
        return _not(value, field)
    return (datetime.min + timedelta(seconds=seconds)).time()


def _second(value: time) -> TemplateValue | Fault:
    """Rounded to the second: a fraction of a day cannot hold a time more finely in all engines."""
    seconds = value.hour * 3600 + value.minute * 60 + value.second + round(value.microsecond / 1e6)
    return (datetime.min + timedelta(seconds=min(seconds, _DAY_S - 1))).time()


def _date(value: object, field: Input) -> TemplateValue | Fault:
    match value:
        case datetime() if value.time() != time():
            return Fault(show(value), "has a time of day in it", f"Enter {field.expects}")
        case datetime():
            return value.date()
        case date():
            return value
        case bool():
            return _not(value, field)
        case int() | float() if 36_526 <= value <= 73_050 and value == int(value):
            return (_EPOCH + timedelta(days=int(value))).date()  # 2000 to 2099 as a day number
        case str() if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value.strip()):
            try:
                return date.fromisoformat(value.strip())
            except ValueError:
                return Fault(show(value), "is not a day of the calendar", f"Enter {field.expects}")
    return _not(value, field)


def _not(value: object, field: Input) -> Fault:
    noun = {
        InputKind.TEXT: "text", InputKind.WHOLE: "a number", InputKind.NUMBER: "a number",
        InputKind.YES_NO: "yes or no", InputKind.CHOICE: "text",
        InputKind.TIME: "a time of day", InputKind.DATE: "a date",
    }[field.kind]  # fmt: skip
    return Fault(show(value), f"is not {noun}", f"Enter {field.expects}")


_CONVERTERS: dict[InputKind, Callable[[object, Input], TemplateValue | Fault]] = {
    InputKind.TEXT: _text,
    InputKind.WHOLE: _whole,
    InputKind.NUMBER: _number,
    InputKind.YES_NO: _yes_no,
    InputKind.CHOICE: _choice,
    InputKind.TIME: _time,
    InputKind.DATE: _date,
}
