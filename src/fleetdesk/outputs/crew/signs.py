"""Where the numbers of a route stand on its picture, so that none covers another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import cos, pi, sin

from fleetdesk.outputs.wording import number_ranges

Spot = tuple[float, float]
_HIGH = 0.19  # of a sign
_LETTER, _AROUND = 0.068, 0.1  # a sign's width for each letter, and what its frame adds
_NEAR = (0.16, 0.1)  # stops so near each other are one stretch
_SAME = 0.05  # a place that a route comes back to
_SHORT = 12  # letters of numbers that still are one sign
_RINGS = (0.0, 0.22, 0.34, 0.48, 0.64)  # how far a sign may stand from its stop
_DIRECTIONS = 12


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle by its middle and its half sides."""

    x: float
    y: float
    w: float
    h: float

    def covers(self, other: Box) -> bool:
        """Whether the two have a part in common."""
        return abs(self.x - other.x) < self.w + other.w and abs(self.y - other.y) < self.h + other.h


@dataclass(frozen=True, slots=True)
class Sign:
    """The numbers of the stops near `at`, written at `middle`."""

    label: str
    at: Spot
    middle: Spot


def signs(stops: Sequence[Spot], size: Spot, taken: Iterable[Box] = ()) -> list[Sign]:
    """Signs for stops in their order, all lengths in inches from the lower left of a picture.

    Stops near each other share a sign. Those that have no room get none: first come the ends of
    the route, then the longest stretches.
    """
    ends = {1, len(stops)}
    order = sorted(
        _shared(stops, _stretches(stops)),
        key=lambda numbers: (ends.isdisjoint(numbers), -len(numbers), numbers[0]),
    )
    boxes, found = list(taken), []
    for numbers in order:
        label, at = number_ranges(numbers), stops[numbers[0] - 1]
        wide, own = _LETTER * len(label) + _AROUND, set(numbers)
        dots = [Box(*stop, 0.02, 0.02) for n, stop in enumerate(stops, 1) if n not in own]
        middle = _free(at, wide, size, boxes, dots)
        if middle is not None:
            boxes.append(Box(*middle, wide / 2, _HIGH / 2))
            found.append(Sign(label, at, middle))
    return found


def _stretches(stops: Sequence[Spot]) -> list[list[int]]:
    """The numbers of stops that follow each other at near places."""
    found: list[list[int]] = []
    for number, (x, y) in enumerate(stops, start=1):
        if found:
            first = stops[found[-1][0] - 1]
            if abs(first[0] - x) < _NEAR[0] and abs(first[1] - y) < _NEAR[1]:
                found[-1].append(number)
                continue
        found.append([number])
    return found


def _shared(stops: Sequence[Spot], stretches: Sequence[list[int]]) -> list[list[int]]:
    """The same with those of one place together, as long as their numbers stay short."""
    kept: list[list[int]] = []
    for numbers in stretches:
        x, y = stops[numbers[0] - 1]
        for other in kept:
            there = stops[other[0] - 1]
            if (
                abs(there[0] - x) < _SAME
                and abs(there[1] - y) < _SAME
                and len(number_ranges([*other, *numbers])) <= _SHORT
            ):
                other += numbers
                break
        else:
            kept.append(numbers)
    return kept


def _free(
    at: Spot, wide: float, size: Spot, boxes: Sequence[Box], dots: Sequence[Box]
) -> Spot | None:
    """Where a sign covers no other and, if it can be, no other stop; nearest first."""
    fallback = None
    for middle in _places(at, wide):
        box = Box(*middle, wide / 2, _HIGH / 2)
        inside = box.w <= box.x <= size[0] - box.w and box.h <= box.y <= size[1] - box.h
        if not inside or any(box.covers(other) for other in boxes):
            continue
        if not any(box.covers(dot) for dot in dots):
            return middle
        fallback = fallback or middle
    return fallback


def _places(at: Spot, wide: float) -> Iterable[Spot]:
    yield at
    for ring in _RINGS[1:]:
        for step in range(_DIRECTIONS):
            angle = 2 * pi * step / _DIRECTIONS
            yield at[0] + cos(angle) * (ring + wide / 2 - _HIGH / 2), at[1] + sin(angle) * ring
