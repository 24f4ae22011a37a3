"""Travel times by OSRM, from a road network that `osrm-extract` and `osrm-contract` prepared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from fleetdesk.errors import FleetDeskError
from fleetdesk.model.places import Point
from fleetdesk.routes.travel_times import (
    Floats,
    Haversine,
    TravelMatrix,
    on_streets,
    require_usable,
)


@dataclass(frozen=True)
class Osrm:
    """Driving times of OSRM's own profile on the network at `path` (name.osrm).

    The van's speed is used only where no street leads: OSRM knows the speed of every street.
    FleetDeskError when its package or the network is missing.
    """

    path: Path
    fallback: Haversine = field(default_factory=Haversine)

    @property
    def label(self) -> str:
        """`OSRM on city.osrm`."""
        return f"OSRM on {self.path.name}"

    def matrix(self, points: Sequence[Point], speed_kmh: float) -> TravelMatrix:
        """All legs between `points`; legs without a street are those of `fallback`, and counted."""
        require_usable(points, speed_kmh)
        if len(points) < 2:
            return self.fallback.matrix(points, speed_kmh)
        module, engine = self._engine
        answer = engine.Table(
            module.TableParameters(
                coordinates=[(point.lon, point.lat) for point in points],
                annotations=["duration", "distance"],
            )
        )
        metres, seconds = (_numbers(answer[key], len(points)) for key in ("distances", "durations"))
        return on_streets(points, metres, seconds, self.fallback, speed_kmh, self.label)

    @cached_property
    def _engine(self) -> tuple[Any, Any]:
        try:
            osrm: Any = import_module("osrm")
        except ImportError as error:
            raise FleetDeskError(
                "Travel times by OSRM are not available",
                found="the package osrm-bindings is not installed (it needs Python 3.12 or newer)",
                fix='Choose "road graph" or "estimated" on the sheet Routes & travel',
            ) from error
        try:
            return osrm, osrm.OSRM(str(self.path))
        except RuntimeError as error:
            raise FleetDeskError(
                f"OSRM cannot use the road network {self.path.name}",
                found=str(error),
                fix="Prepare it with osrm-extract and osrm-contract, then give its path again",
            ) from error


def _numbers(rows: Any, count: int) -> Floats:
    """OSRM's table as numbers, NaN where there is no way."""
    return np.array(
        [[np.nan if cell is None else float(cell) for cell in row] for row in rows], np.float64
    ).reshape(count, count)
