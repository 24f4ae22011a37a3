"""Finding the settings in a sheet by what is written there, wherever planners moved it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from fleetdesk.errors import Problem
from fleetdesk.settings.cells import is_blank
from fleetdesk.settings.words import ALIKE, closest, normal, readings

Address = tuple[int, int]
Cells = Mapping[Address, object]
_ROWS_SCANNED_LOOSELY = 50
_LOOSE_HITS = 2


@dataclass(frozen=True)
class Labels:
    """Where each wanted label stands, and what is wrong with the labels."""

    places: Mapping[str, Address]
    problems: tuple[Problem, ...]


def header_row(cells: Cells, wanted: Sequence[str]) -> int | None:
    """The row that holds most of the wanted heads (the upper one of equals), or None."""
    exact = {normal(label) for label in wanted}
    score: dict[int, set[str]] = {}
    for (row, _), value in cells.items():
        if isinstance(value, str) and (hits := exact.intersection(readings(value))):
            score.setdefault(row, set()).update(hits)
    if score:
        return min(score, key=lambda row: (-len(score[row]), row))
    loose: dict[int, int] = {}
    for (row, _), value in cells.items():
        if row <= _ROWS_SCANNED_LOOSELY and isinstance(value, str) and closest(value, wanted):
            loose[row] = loose.get(row, 0) + 1
    likely = [row for row, hits in loose.items() if hits >= _LOOSE_HITS]
    return min(likely, key=lambda row: (-loose[row], row), default=None)


def match(
    sheet: str, found: Iterable[tuple[Address, object]], wanted: Sequence[str], noun: str,
    newer: Collection[str] = (),
) -> Labels:  # fmt: skip
    """Each wanted label's place among the cells found; `noun` is "column" or "row".

    A label that is missing is a problem, at the cell that looks like a renamed one if there is
    one; a label that stands there twice is a problem; other text is the planner's own.
    The labels `newer` than the workbook may be missing.
    """
    keys = {normal(label): label for label in wanted}
    places: dict[str, Address] = {}
    others: dict[Address, str] = {}
    problems: list[Problem] = []
    for address, text in sorted((a, v) for a, v in found if isinstance(v, str) and not is_blank(v)):
        label = next((keys[reading] for reading in readings(text) if reading in keys), None)
        if label is None:
            others[address] = text.strip()
        elif label in places:
            problems.append(Problem(
                sheet, a1(*address), f"'{label}'", f"stands here and in {a1(*places[label])}",
                f"Keep one of the two {noun}s",
            ))  # fmt: skip
        else:
            places[label] = address
    missing = [label for label in wanted if label not in places and label not in newer]
    renamed = _renamed(missing, others, places)
    for label in missing:
        if label in renamed:
            address = renamed[label]
            problems.append(Problem(
                sheet, a1(*address), f"'{others[address]}'",
                f"is not a {noun} of this sheet; did you mean '{label}'?", f"Name it '{label}'",
            ))  # fmt: skip
        else:
            problems.append(Problem(
                sheet, "", "", f"the {noun} '{label}' is missing", f"Add a {noun} '{label}'",
            ))  # fmt: skip
    return Labels(places, tuple(problems))


def unit_in(header: str) -> str:
    """What stands in brackets at the end of a header, or nothing."""
    found = re.search(r"[(\[]([^()\[\]]*)[)\]]\s*$", header)
    return found.group(1).strip() if found else ""


def a1(row: int, column: int) -> str:
    """The address of a cell, such as B5."""
    letters = ""
    while column:
        column, digit = divmod(column - 1, 26)
        letters = chr(65 + digit) + letters
    return f"{letters}{row}"


def _renamed(
    missing: Sequence[str], others: Mapping[Address, str], places: Mapping[str, Address]
) -> dict[str, Address]:
    """Best pairs first; at last the one label left over with the one stranger among ours."""
    pairs = sorted(
        (
            (-difflib.SequenceMatcher(None, normal(label), reading).ratio(), address, label)
            for label in missing
            for address, text in others.items()
            for reading in readings(text)
        ),
    )
    renamed: dict[str, Address] = {}
    for negative_ratio, address, label in pairs:
        if -negative_ratio >= ALIKE and label not in renamed and address not in renamed.values():
            renamed[label] = address
    left = [label for label in missing if label not in renamed]
    if len(left) == 1 and len(places) > 1:
        low, high = min(places.values()), max(places.values())
        strangers = [a for a in others if low < a < high and a not in renamed.values()]
        if len(strangers) == 1:
            renamed[left[0]] = strangers[0]
    return renamed
