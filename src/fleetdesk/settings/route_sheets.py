"""The sheet Routes & travel: where travel times come from, and how work is shared out."""

from __future__ import annotations

from datetime import time
from functools import partial
from itertools import permutations
from typing import ClassVar, Literal

from fleetdesk.settings import sheet as base

setting = partial(base.setting, since=3)

_IN_SOME_ORDER = "|".join(
    rf"\{{{a}\}}[^\s{{}}]*\{{{b}\}}[^\s{{}}]*\{{{c}\}}" for a, b, c in permutations("xyz")
)
_TILES = (
    r"^$|^https?://(\{s\}\.)?[A-Za-z0-9.-]+(:\d{1,5})?/[^\s{}]*"
    rf"({_IN_SOME_ORDER})([^\s{{}}]|\{{r\}})*$"
)


class Travel(base.Sheet):
    """Travel times, overtime, reloads, and what even and steady rounds are worth."""

    sheet: ClassVar[str] = "Routes & travel"
    intro: ClassVar[str] = "How long ways take, and how work is shared out among the workers."
    since: ClassVar[int] = 3

    travel_by: Literal["estimated", "road graph", "OSRM"] = setting(
        "estimated", "Travel times by",
        "estimated = straight line; road graph = streets of the road file; OSRM = its own speeds.",
    )  # fmt: skip
    road_file: str = setting(
        "", "Road file", "Path of an .osm.pbf extract, a road list (.csv) or an OSRM network.",
        example="a path such as roads/city.osm.pbf", max_length=400,
    )  # fmt: skip
    detour_factor: float = setting(
        1.35, "Detour factor", "Ways are so many times the straight line where they are estimated.",
        ge=1, le=5,
    )  # fmt: skip
    overtime_min: float = setting(
        0, "Most overtime", "How much later than the shift's end a worker may be home.",
        unit="min", ge=0, le=480,
    )  # fmt: skip
    overtime_extra_pct: float = setting(
        50, "Overtime costs more by", "Above the worker's cost per hour.", unit="%", ge=0, le=500
    )
    most_reloads: int = setting(
        0, "Most reloads", "How often a van may fetch charged batteries at its start or end.",
        unit="reloads", ge=0, le=10,
    )  # fmt: skip
    reload_min: float = setting(
        15, "Time to reload", "Changing all batteries on the van.", unit="min", ge=0, le=240
    )
    balance_pct: float = setting(
        0, "Even rounds", "What an hour longer than the average round counts against a plan, as a "
        "share of its wage; 0 = only profit counts.", unit="%", ge=0, le=500,
    )  # fmt: skip
    familiar_bonus: float = setting(
        0, "Bonus for the own area", "What it is worth that a task is done by a worker in whose "
        "area it lies; steers the plan and is not earned.", unit="money", ge=0, le=1000,
    )  # fmt: skip
    rest_from: time | None = setting(
        None, "Rest of the day from", "Plans only what is left from this time on, from where the "
        "last plan of the day has the vans by then; empty = the whole day.", since=4,
    )  # fmt: skip
    limits_effort_pct: float = setting(
        5, "Effort for limits", "Share of the search effort that goes into what one more worker, "
        "hour or battery is worth; 0 = not worked out.", unit="%", ge=0, le=100,
    )  # fmt: skip
    city_map_file: str = setting(
        "", "City map file", "Path of a .pmtiles map of the city, drawn under maps in the window.",
        example="a path such as maps/city.pmtiles", max_length=400, since=5,
    )  # fmt: skip
    map_tiles: str = setting(
        "", "Map pictures from", "Address of a tile server. Maps then ask it for pictures, and it "
        "sees where they are looked at; empty = maps never ask the network.",
        example="an address with {z}, {x} and {y}", max_length=400, pattern=_TILES, since=5,
    )  # fmt: skip
    map_tiles_credit: str = setting(
        "© OpenStreetMap contributors", "Map pictures by", "Whom their licence wants to be named.",
        max_length=100, since=5,
    )  # fmt: skip
