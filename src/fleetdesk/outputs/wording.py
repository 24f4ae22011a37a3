"""How sheets and maps say money, local time, places and ROI, the same everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from fleetdesk.model.places import Point
from fleetdesk.model.plan import Action, Visit
from fleetdesk.model.work import Task, TaskKind, TaskRoi
from fleetdesk.settings.schema import Settings


def money(amount: float, currency: str) -> str:
    """`1,234.50 EUR`, with a space that does not break."""
    return f"{amount:,.2f}\u00a0{currency}"


def roi_name(settings: Settings, level: str | None = None) -> str:
    """Which ROI is meant: at the level that plans are made on, or another; net or gross."""
    money_kind = "net" if settings.costs.use_net_revenue else "gross"
    return f"ROI, {level or settings.thresholds.roi_level}-level {money_kind}"


def other_level(settings: Settings) -> str:
    """The level that plans are not made on."""
    return "scooter" if settings.thresholds.roi_level == "fleet" else "fleet"


def other_roi(roi: TaskRoi, settings: Settings) -> float | None:
    """A task's ROI at that other level."""
    return roi.scooter_roi if other_level(settings) == "scooter" else roi.fleet_roi


def local(moment: datetime | None, settings: Settings) -> datetime | None:
    """A UTC-aware time as the city's clock shows it, without a zone as sheets keep it."""
    if moment is None:
        return None
    there = moment.astimezone(ZoneInfo(settings.city.timezone))
    return there.replace(tzinfo=None, microsecond=0)


def clock(moment: datetime, settings: Settings) -> str:
    """`09:05` on the city's clock."""
    return moment.astimezone(ZoneInfo(settings.city.timezone)).strftime("%H:%M")


def place_of(task: Task, settings: Settings) -> str:
    """The parking's name where the vehicle stands, or its cell."""
    names = {row.parking_id: row.name for row in settings.parkings}
    if task.from_parking_id is not None:
        return names.get(task.from_parking_id, task.from_parking_id)
    return f"cell {task.before.cell}"


def work_at(visit: Visit, task: Task | None) -> str:
    """What is done at a stop, in the order of the work: `swap battery, inspect, pick up`."""
    if task is None or visit.action is Action.DROP_OFF:
        return visit.action.value
    carried = Action.PICK_UP.value
    return ", ".join(carried if kind is TaskKind.MOVE else kind.value for kind in task.kinds)


def directions_url(to: Point) -> str:
    """Google Maps directions to a point (Maps URLs, api=1); needs no key."""
    return f"https://www.google.com/maps/dir/?api=1&destination={to.lat:.6f},{to.lon:.6f}"


def sentence(text: str) -> str:
    """With a capital and a full stop; empty stays empty."""
    text = text.strip()
    if not text:
        return ""
    return text[0].upper() + text[1:] + ("" if text[-1] in ".!?" else ".")


def number_ranges(numbers: Sequence[int]) -> str:
    """`3`, `3-5` or `3, 7-8` for ascending numbers."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(str(a) if a == b else f"{a}\u2013{b}" for a, b in spans)
