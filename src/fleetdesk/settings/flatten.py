"""Settings as a flat list of human keys, and what changed between two of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time

from fleetdesk.model.sheet_template import TemplateValue
from fleetdesk.settings.fields import SECTIONS, inputs_of, title_input
from fleetdesk.settings.schema import FORMS, LISTS, SHEET_ORDER, Settings
from fleetdesk.settings.sheet import Sheet

Flat = str | int | float


@dataclass(frozen=True, slots=True)
class Change:
    """One setting's old and new value; None = the whole row was not there."""

    key: str
    old: Flat | None
    new: Flat | None

    def __str__(self) -> str:
        """`Weights: Low battery: 0.35 -> 0.5`, or `... added`, `... removed`."""
        if self.old is None:
            return f"{self.key}: added"
        if self.new is None:
            return f"{self.key}: removed"
        return f"{self.key}: {_shown(self.old)} -> {_shown(self.new)}"


def flatten(settings: Settings) -> dict[str, Flat]:
    """Every setting under a key such as `Workers & vans: Maria: Shift ends`.

    Booleans are yes or no, times HH:MM (with seconds where there are any), dates ISO, empty "".
    The order of rows is no setting, so the same rows in another order give the same content.
    """
    flat: dict[str, Flat] = {}
    for section in SHEET_ORDER:
        content: Sheet | Sequence[Sheet] = getattr(settings, section)
        if isinstance(content, Sheet):
            flat |= _row(FORMS[section].sheet, content)
            continue
        title = title_input(LISTS[section]).key
        for row in content:
            flat |= _row(f"{LISTS[section].sheet}: {getattr(row, title)}", row)
    return flat


def changes(old: Mapping[str, Flat], new: Mapping[str, Flat]) -> tuple[Change, ...]:
    """What differs between two flattened settings; a row that came or went is one change.

    A setting that an older version did not have counts as having been at its default.
    """
    found: dict[str, Change] = {}
    old_rows, new_rows = _row_names(old), _row_names(new)
    for key in [*new, *(key for key in old if key not in new)]:
        row = _row_name(key)
        if row not in old_rows:
            found[row] = Change(row, None, "added")
        elif row not in new_rows:
            found[row] = Change(row, "removed", None)
        elif (before := old.get(key, _default(key))) != (now := new.get(key, "")):
            found[key] = Change(key, before, now)
    return tuple(found.values())


def _row(prefix: str, row: Sheet) -> dict[str, Flat]:
    return {
        f"{prefix}: {entry.label}": _plain(getattr(row, entry.key))
        for entry in inputs_of(type(row))
    }


def _plain(value: TemplateValue) -> Flat:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case time():
            return f"{value:%H:%M:%S}" if value.second else f"{value:%H:%M}"
        case date():
            return value.isoformat()
    return value


def _default(key: str) -> Flat:
    """The default of the setting that the key names; empty when there is none of that name."""
    sheet, label = key.split(": ", 1)[0], key.rsplit(": ", 1)[-1]
    kinds = (kind for kind in SECTIONS.values() if kind.sheet == sheet)
    inputs = (entry for kind in kinds for entry in inputs_of(kind) if entry.label == label)
    return next((_plain(entry.default) for entry in inputs), "")


def _row_names(flat: Mapping[str, Flat]) -> set[str]:
    return {_row_name(key) for key in flat}


def _row_name(key: str) -> str:
    """The key without its label; no label holds a colon, so this is the row."""
    return key.rsplit(": ", 1)[0]


def _shown(value: Flat) -> str:
    return "empty" if value == "" else str(value)
