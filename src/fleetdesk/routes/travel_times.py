"""How far and how long from anywhere to anywhere: the port, and the estimate that needs no map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from fleetdesk.errors import FleetDeskError
from fleetdesk.model.places import EARTH_RADIUS_M, Point

Floats = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.int64]

DETOUR_FACTOR = 1.35


@dataclass(frozen=True, eq=False)
class TravelMatrix:
    """Metres and seconds between n points, both n x n, row = from, no cell missing.

    `label` says where the figures come from and is shown beside the plan, `note` what is special
    about them ("3 % of legs estimated ..."). `cut_off` are the points from or to which no street
    leads for most of the others: islands, places at sea.
    """

    distance_m: Matrix
    duration_s: Matrix
    label: str
    note: str = ""
    cut_off: tuple[int, ...] = ()


class TravelTimes(Protocol):
    """A source of travel times; every adapter fills every cell."""

    @property
    def label(self) -> str:
        """Where the figures come from, as the planner reads it."""

    def matrix(self, points: Sequence[Point], speed_kmh: float) -> TravelMatrix:
        """All legs between `points` for a van of this speed."""


@dataclass(frozen=True)
class Haversine:
    """Straight lines made longer by a fixed factor; works everywhere and knows no streets."""

    detour_factor: float = DETOUR_FACTOR

    @property
    def label(self) -> str:
        """`estimated: straight line x 1.35`."""
        return f"estimated: straight line x {self.detour_factor:g}"

    def matrix(self, points: Sequence[Point], speed_kmh: float) -> TravelMatrix:
        """Great-circle distance x factor, at `speed_kmh`; FleetDeskError for a speed of 0."""
        require_usable(points, speed_kmh)
        lat = np.radians(np.array([point.lat for point in points], dtype=np.float64))
        lon = np.radians(np.array([point.lon for point in points], dtype=np.float64))
        half_lat = (lat[:, None] - lat[None, :]) / 2
        half_lon = (lon[:, None] - lon[None, :]) / 2
        h = np.sin(half_lat) ** 2 + np.outer(np.cos(lat), np.cos(lat)) * np.sin(half_lon) ** 2
        straight_m = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.minimum(h, 1.0)))
        distance_m = straight_m * self.detour_factor
        duration_s = distance_m * (3.6 / speed_kmh)
        return TravelMatrix(
            np.rint(distance_m).astype(np.int64), np.rint(duration_s).astype(np.int64), self.label
        )


def on_streets(
    points: Sequence[Point],
    metres: Floats,
    seconds: Floats | None,
    fallback: Haversine,
    speed_kmh: float,
    label: str,
) -> TravelMatrix:
    """The legs that a map knows, and those of `fallback` where it knows none (not finite).

    Without `seconds` (n x n, like `metres`) the van drives at its own speed. No leg is shorter than
    the straight line, and none leads from a place to itself.
    """
    estimated = fallback.matrix(points, speed_kmh)
    straight = estimated.distance_m / fallback.detour_factor
    metres = np.maximum(metres, straight)
    seconds = metres * (3.6 / speed_kmh) if seconds is None else seconds
    same = straight == 0
    missing = ~(np.isfinite(metres) & np.isfinite(seconds)) & ~same
    metres = np.where(missing, estimated.distance_m, np.where(same, 0, metres))
    seconds = np.where(missing, estimated.duration_s, np.where(same, 0, seconds))
    others, count = max(1, len(points) - 1), int(missing.sum())
    share = 100 * count / (len(points) * others)
    apart = (missing | missing.T).sum(axis=1) > others / 2
    return TravelMatrix(
        np.rint(metres).astype(np.int64),
        np.rint(seconds).astype(np.int64),
        label,
        f"{share:.3g} % of legs {estimated.label}, as no street leads there" if count else "",
        tuple(np.flatnonzero(apart).tolist()),
    )


def require_usable(points: Sequence[Point], speed_kmh: float) -> None:
    """Refuse what no adapter can answer: positions off the globe, a van that does not move."""
    if not (np.isfinite(speed_kmh) and speed_kmh > 0):
        raise FleetDeskError(
            "A van's driving speed is not above 0",
            found=f"{speed_kmh} km/h",
            fix="Correct Driving speed in the sheet Workers & vans",
        )
    for point in points:
        if not (abs(point.lat) <= 90 and abs(point.lon) <= 180):
            raise FleetDeskError(
                "A position is not on the globe",
                found=f"latitude {point.lat}, longitude {point.lon}",
                fix="Correct the latitude and longitude where this position is set",
            )
