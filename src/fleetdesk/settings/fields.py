"""The schema's fields as inputs: label, kind, bounds and what is expected, in words."""

from __future__ import annotations

from datetime import date, time
from functools import cache
from typing import Any, Literal, get_args, get_origin

import annotated_types as at
from pydantic.fields import FieldInfo

from fleetdesk.model.sheet_template import Input, InputKind, TemplateValue
from fleetdesk.settings.schema import FORMS, LISTS
from fleetdesk.settings.sheet import Sheet

TABLES: dict[str, str] = {
    "city": "City", "weights": "Weights", "thresholds": "Thresholds", "packages": "Packages",
    "costs": "Costs", "workers": "Workers", "parkings": "Parkings", "offers": "Offers",
    "questions": "Questions", "task_rules": "Task_rules", "mail": "Mail",
    "travel": "Travel", "riders": "Riders",
    "segments": "Segments", "churn": "Churn", "retention": "Retention",
    "lifetime_value": "LifetimeValue",
    "usage": "Usage", "package_advice": "PackageAdvice", "package_trial": "PackageTrial",
    "pricing": "Pricing", "offer_tests": "OfferTests", "service_sets": "ServiceSets",
    "battery_plan": "BatteryPlan", "next_best": "NextBest",
}  # fmt: skip
SECTIONS: dict[str, type[Sheet]] = FORMS | LISTS
_KINDS: dict[type, InputKind] = {
    bool: InputKind.YES_NO, int: InputKind.WHOLE, float: InputKind.NUMBER,
    str: InputKind.TEXT, time: InputKind.TIME, date: InputKind.DATE,
}  # fmt: skip


@cache
def inputs_of(section: type[Sheet]) -> tuple[Input, ...]:
    """One input for each field of a sheet's class, in the class's order."""
    return tuple(_input(key, info) for key, info in section.model_fields.items())


def title_input(section: type[Sheet]) -> Input:
    """The input that names a row of a list: its first."""
    return inputs_of(section)[0]


def number_text(value: float) -> str:
    """A number as a person writes it: no exponent, no trailing zeros."""
    text = f"{value:.10f}".rstrip("0").rstrip(".") if abs(value) < 1e15 else f"{value:g}"
    return "0" if text in {"-0", ""} else text


def value_text(value: TemplateValue) -> str:
    """A setting's value as a person would type it; nothing for an empty one."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return number_text(value)
        case time():
            return f"{value:%H:%M}"
        case date():
            return value.isoformat()
    return value


def _input(key: str, info: FieldInfo) -> Input:
    choices = get_args(info.annotation) if get_origin(info.annotation) is Literal else ()
    kind = InputKind.CHOICE if choices else _KINDS[_bare_type(info.annotation)]
    extra: dict[str, Any] = dict(info.json_schema_extra or {})  # type: ignore[arg-type]
    limits = _limits(info.metadata)
    return Input(
        key=key,
        label=str(info.title),
        kind=kind,
        help=str(info.description),
        expects=_expects(kind, extra["example"], choices, limits),
        unit=extra["unit"],
        required=info.is_required(),
        default=None if info.is_required() else info.default,
        choices=choices,
        choices_from=_choices(extra["one_of"]),
        since=extra["since"],
        **limits,
    )


def _bare_type(annotation: Any) -> type:
    options = [option for option in get_args(annotation) if option is not type(None)]
    bare: type = options[0] if options else annotation
    return bare


def _choices(one_of: str) -> tuple[str, str] | None:
    return (TABLES[one_of], title_input(LISTS[one_of]).label) if one_of else None


def _limits(metadata: list[Any]) -> dict[str, Any]:
    limits: dict[str, Any] = {}
    for rule in metadata:
        match rule:
            case at.Ge(ge=low):
                limits |= {"low": low}
            case at.Gt(gt=low):
                limits |= {"low": low, "open_low": True}
            case at.Le(le=high):
                limits |= {"high": high}
            case at.Lt(lt=high):
                limits |= {"high": high, "open_high": True}
            case at.MaxLen(max_length=longest):
                limits |= {"longest": longest}
    return limits


def _expects(
    kind: InputKind, example: str, choices: tuple[str, ...], limits: dict[str, Any]
) -> str:
    if example:
        return example
    match kind:
        case InputKind.CHOICE:
            return f"{', '.join(choices[:-1])} or {choices[-1]}"
        case InputKind.YES_NO:
            return "yes or no"
        case InputKind.TIME:
            return "a time of day such as 08:30"
        case InputKind.DATE:
            return f"a date from {limits['low']:%Y} to {limits['high']:%Y} such as 2026-05-31"
        case InputKind.TEXT:
            return "text"
    noun = "a whole number" if kind is InputKind.WHOLE else "a number"
    low, high = number_text(limits["low"]), number_text(limits["high"])
    if not limits.get("open_low") and not limits.get("open_high"):
        return f"{noun} from {low} to {high}"
    floor = f"above {low}" if limits.get("open_low") else f"from {low}"
    roof = f"below {high}" if limits.get("open_high") else f"at most {high}"
    return f"{noun} {floor} and {roof}"
