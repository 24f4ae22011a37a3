"""Settings tried out from the command line: `Sheet: Label=value`, several values with commas."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from pydantic import ValidationError

from fleetdesk.errors import FleetDeskError
from fleetdesk.model.sheet_template import Input, InputKind
from fleetdesk.settings.cells import Fault, convert
from fleetdesk.settings.fields import inputs_of
from fleetdesk.settings.schema import FORMS, Settings

MOST = 200


def variants(settings: Settings, changes: Sequence[str]) -> Iterator[tuple[str, Settings]]:
    """Every combination of the values, each with what was changed as a text; at least one."""
    keys, values = [], []
    for change in changes:
        key, found, text = change.partition("=")
        if not found:
            raise _wrong(change, "there is no = in it")
        keys.append(_field(key.strip(), change))
        values.append([part.strip() for part in text.split(",")])
    combinations = list(product(*values))
    if len(combinations) > MOST:
        raise FleetDeskError(
            f"These settings make {len(combinations)} combinations",
            found=", ".join(changes),
            fix=f"Give fewer values, at most {MOST} combinations",
        )
    for combination in combinations:
        tried = settings
        for (section, name, label), value in zip(keys, combination, strict=True):
            tried = _with(tried, section, name, label, value)
        names = [f"{label} = {v}" for (*_, label), v in zip(keys, combination, strict=True)]
        yield ", ".join(names), tried


def _field(key: str, change: str) -> tuple[str, str, str]:
    """Section, field and label of `Sheet: Label`."""
    sheet, _, label = (part.strip() for part in key.partition(":"))
    for section, kind in FORMS.items():
        if kind.sheet.casefold() == sheet.casefold():
            for entry in inputs_of(kind):
                if entry.label.casefold() == label.casefold():
                    return section, entry.key, f"{kind.sheet}: {entry.label}"
            labels = ", ".join(entry.label for entry in inputs_of(kind))
            raise _wrong(change, f"{kind.sheet} has no {label!r}, but {labels}")
    sheets = ", ".join(kind.sheet for kind in FORMS.values())
    raise _wrong(change, f"there is no sheet {sheet!r}, but {sheets}")


def _with(settings: Settings, section: str, name: str, label: str, text: str) -> Settings:
    sheet, kind = getattr(settings, section), FORMS[section]
    (field,) = (entry for entry in inputs_of(kind) if entry.key == name)
    value = convert(typed(text, field), field)
    if isinstance(value, Fault):
        raise FleetDeskError(
            f"{label} cannot be {value.found}", found=value.expected, fix=f"Give {field.expects}"
        )
    try:
        changed = kind.model_validate(sheet.model_dump() | {name: value})
    except ValidationError as error:
        raise FleetDeskError(
            f"{label} cannot be {text}",
            found="; ".join(part["msg"] for part in error.errors()),
            fix=f"Give {field.expects}",
        ) from error
    return settings.model_copy(update={section: changed})


def typed(text: str, entry: Input) -> str | float:
    """A number as a sheet would hold it; any other text as it is, and all where text is asked."""
    if entry.kind is InputKind.TEXT:
        return text
    try:
        return float(text)
    except ValueError:
        return text


def _wrong(change: str, found: str) -> FleetDeskError:
    return FleetDeskError(
        f"The setting {change!r} cannot be tried",
        found=found,
        fix='Write it as on the sheets, such as "Thresholds: Low battery below=25,30,40"',
    )
