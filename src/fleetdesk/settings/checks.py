"""What must hold between settings, checked on whatever could be read."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fleetdesk.errors import Problem, Severity
from fleetdesk.model.places import Point
from fleetdesk.model.work import Rule, TaskKind
from fleetdesk.settings.cells import show
from fleetdesk.settings.fields import title_input
from fleetdesk.settings.rows import Row
from fleetdesk.settings.schema import LISTS
from fleetdesk.settings.task_sheets import MOVES_ONLY, RULES, WITHOUT_THRESHOLD
from fleetdesk.settings.words import closest

FAR_M = 60_000.0
_NEAR_DEG = FAR_M / 112_000
WEIGHTS = ("low_battery", "roi", "outside_parking", "parking_deficit", "idle")

Sections = Mapping[str, Sequence[Row]]


def cross_checks(sections: Sections) -> Iterator[Problem]:
    """Every problem and warning that concerns more than one cell."""
    for section in LISTS:
        yield from _unique(sections, section)
    yield from _some_weight(sections)
    yield from _batteries(sections)
    for row in sections.get("workers", ()):
        yield from _shift(row)
    for row in sections.get("parkings", ()):
        yield from _limits(row)
    yield from _offers(sections)
    for row in sections.get("task_rules", ()):
        yield from _task_rule(row)
    yield from _skills(sections)
    yield from _nobody_works(sections)
    yield from _far_away(sections)
    yield from _same_place(sections)


def _unique(sections: Sections, section: str) -> Iterator[Problem]:
    title = title_input(LISTS[section])
    seen: dict[str, Row] = {}
    for row in sections.get(section, ()):
        name = row.values.get(title.key)
        if not isinstance(name, str):
            continue
        first = seen.setdefault(name.casefold(), row)
        if first is not row:
            also = f"is used twice, also in {first.cell(title.key)}"
            yield Problem(row.sheet, row.cell(title.key), show(name), also,
                          f"Give each {title.label.lower()} its own")  # fmt: skip


def _some_weight(sections: Sections) -> Iterator[Problem]:
    for row in sections.get("weights", ()):
        weights = [row.values.get(key) for key in WEIGHTS]
        if all(weight == 0 for weight in weights):
            yield Problem(row.sheet, row.cell(WEIGHTS[0]), "", "all weights are 0",
                          "Give at least one reason a weight above 0")  # fmt: skip


def _batteries(sections: Sections) -> Iterator[Problem]:
    for row in sections.get("thresholds", ()):
        low, usable, charged = (
            _number(row, key)
            for key in ("low_battery_pct", "usable_battery_pct", "charged_battery_pct")
        )
        if low and usable is not None and usable >= low:
            yield _at(row, "usable_battery_pct", f"is not below the low battery limit, {show(low)}",
                      f"Enter less than {show(low)}")  # fmt: skip
        if low is not None and charged is not None and charged <= low:
            yield _at(row, "charged_battery_pct",
                      f"is not above the low battery limit, {show(low)}",
                      f"Enter more than {show(low)}, or a swap changes nothing")  # fmt: skip


def _shift(row: Row) -> Iterator[Problem]:
    start, end = _any(row, "shift_start"), _any(row, "shift_end")
    if start is not None and end is not None and end <= start:
        yield _at(row, "shift_end", f"is not after the start of the shift, {show(start)}",
                  "Enter a later time of the same day")  # fmt: skip


def _limits(row: Row) -> Iterator[Problem]:
    capacity, minimum, target = (_number(row, key) for key in ("capacity", "minimum", "target"))
    if capacity is not None and minimum is not None and minimum > capacity:
        yield _at(row, "minimum", f"is above the capacity, {show(capacity)}",
                  f"Enter at most {show(capacity)}")  # fmt: skip
    elif minimum is not None and target is not None and target < minimum:
        yield _at(row, "target", f"is below the minimum, {show(minimum)}",
                  f"Enter at least {show(minimum)}")  # fmt: skip
    if capacity is not None and target is not None and target > capacity:
        yield _at(row, "target", f"is above the capacity, {show(capacity)}",
                  f"Enter at most {show(capacity)}")  # fmt: skip


def _offers(sections: Sections) -> Iterator[Problem]:
    names = [row.values.get("name") for row in sections.get("packages", ())]
    known = [name for name in names if isinstance(name, str)]
    some_unread = len(known) < len(names) or "packages" not in sections
    for row in sections.get("offers", ()):
        package = row.values.get("package")
        if isinstance(package, str) and package not in known and not some_unread:
            alike = closest(package, known)
            hint = f"; did you mean '{alike}'?" if alike else ""
            fix = f"Enter '{alike}'" if alike else "Choose a name from the sheet Packages"
            yield _at(row, "package", f"is not among the packages{hint}", fix)
        starts, ends = _any(row, "starts"), _any(row, "ends")
        if starts is not None and ends is not None and ends < starts:
            yield _at(row, "ends", f"is before the offer's first day, {show(starts)}",
                      "Enter a later day or leave it empty")  # fmt: skip


def _task_rule(row: Row) -> Iterator[Problem]:
    rule = RULES.get(str(row.values.get("when")))
    limit = _number(row, "threshold")
    if rule is None:
        return
    if rule not in WITHOUT_THRESHOLD and limit is None and "threshold" in row.values:
        yield _at(row, "threshold", f"is missing for {row.values['when']}",
                  "Enter the value from which the rule holds")  # fmt: skip
    if rule is Rule.LOW_BATTERY and limit is not None and limit > 100:
        yield _at(row, "threshold", "is above 100 %", "Enter at most 100")
    if rule in MOVES_ONLY and row.values.get("work") not in (None, TaskKind.MOVE.value):
        yield _at(row, "work", f"cannot mend that a parking is so ({row.values['when']})",
                  f"Choose {TaskKind.MOVE.value}")  # fmt: skip


def _skills(sections: Sections) -> Iterator[Problem]:
    """Skills that rules ask for and nobody who works has."""
    workers = [row for row in sections.get("workers", ()) if row.values.get("active") is not False]
    if any("skills" not in row.values for row in workers):
        return
    there = {
        skill.strip() for row in workers for skill in str(row.values["skills"] or "").split(",")
    }
    for row in sections.get("task_rules", ()):
        skill = str(row.values.get("skill") or "").strip()
        if skill and skill not in there and row.values.get("active") is not False:
            yield Problem(
                row.sheet, row.cell("skill"), show(skill), "is a skill of nobody who works",
                "Add it to a worker's Skills, or clear it", Severity.WARNING,
            )  # fmt: skip


def _nobody_works(sections: Sections) -> Iterator[Problem]:
    rows = sections.get("workers")
    if rows is not None and all(row.values.get("active") is False for row in rows):
        sheet = rows[0].sheet if rows else "Workers & vans"
        yield Problem(sheet, "", "", "nobody is working, so no task can be routed",
                      "Set Working to yes for at least one worker", Severity.WARNING)  # fmt: skip


def _far_away(sections: Sections) -> Iterator[Problem]:
    """Places farther than 60 km from the middle of the parkings: a slip of the keyboard."""
    places = [
        (lat, lon, row)
        for row in sections.get("parkings", ())
        if (lat := _number(row, "lat")) is not None and (lon := _number(row, "lon")) is not None
    ]
    if not places:
        return
    middle = Point(
        statistics.median(lat for lat, _, _ in places),
        statistics.median(lon for _, lon, _ in places),
    )
    for lat, lon, row in places:
        # A degree is at most 112 km, so that these are near without a closer look.
        if abs(lat - middle.lat) + abs(lon - middle.lon) > _NEAR_DEG:
            yield from _far(row, Point(lat, lon), middle, "lat")
    for row in sections.get("workers", ()):
        start = _point(row, "start_lat", "start_lon")
        if start and row.values.get("active") is not False:
            yield from _far(row, start, middle, "start_lat")


def _same_place(sections: Sections) -> Iterator[Problem]:
    """Parkings in use at the very place of another: vehicles there count for one of them alone."""
    seen: dict[tuple[float, float], Row] = {}
    for row in sections.get("parkings", ()):
        at = _point(row, "lat", "lon")
        if at is None or row.values.get("active") is False:
            continue
        first = seen.setdefault((at.lat, at.lon), row)
        if first is not row:
            yield Problem(
                row.sheet, row.cell("lat"), show(row.values.get("name")),
                f"stands where {show(first.values.get('name'))} does ({first.cell('lat')}), "
                "and vehicles there count for one of them alone",
                "Correct a position, or make one of them not in use", Severity.WARNING,
            )  # fmt: skip


def _far(row: Row, at: Point, middle: Point, key: str) -> Iterator[Problem]:
    distance_m = at.distance_m(middle)
    if distance_m <= FAR_M:
        return
    swapped = abs(at.lon) <= 90 and Point(at.lon, at.lat).distance_m(middle) <= FAR_M
    yield Problem(
        row.sheet, row.cell(key), f"{at.lat:g}, {at.lon:g}",
        f"is {distance_m / 1000:.0f} km from the middle of the parkings",
        "Latitude and longitude look swapped" if swapped else "Check latitude and longitude",
        Severity.WARNING,
    )  # fmt: skip


def _point(row: Row, lat_key: str, lon_key: str) -> Point | None:
    lat, lon = _number(row, lat_key), _number(row, lon_key)
    return None if lat is None or lon is None else Point(lat, lon)


def _number(row: Row, key: str) -> float | None:
    value = row.values.get(key)
    return value if isinstance(value, int | float) else None


def _any(row: Row, key: str) -> Any:
    return row.values.get(key)


def _at(row: Row, key: str, expected: str, fix: str) -> Problem:
    default = " (the cell is empty)" if key in row.empty else ""
    return Problem(row.sheet, row.cell(key), show(row.values[key]) + default, expected, fix)
