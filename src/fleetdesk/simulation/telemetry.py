"""Pings: where each vehicle says it is, with GPS error, drawn from its stretches of a day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fleetdesk.simulation.engine import City
from fleetdesk.simulation.layout import ashore, to_degrees
from fleetdesk.simulation.log import Stretch
from fleetdesk.simulation.records import arrow_table, moments, vehicle_ids
from fleetdesk.simulation.streams import Floats, Ints, Purpose, normals, stream

_BAD_SKY_SHARE = 0.01


@dataclass(frozen=True)
class Pings:
    """Pings before the measuring error, one array per column; metres, seconds since the start."""

    vehicle: Ints
    at: Ints
    x: Floats
    y: Floats
    speed_kmh: Floats
    battery: Floats
    riding: NDArray[np.bool_]

    def before(self, moment: int) -> tuple[Pings, Pings]:
        """Those before a moment, and the rest."""
        early = self.at < moment
        return self.where(early), self.where(~early)

    def where(self, chosen: NDArray[np.bool_]) -> Pings:
        """The chosen ones."""
        return Pings(
            self.vehicle[chosen], self.at[chosen], self.x[chosen], self.y[chosen],
            self.speed_kmh[chosen], self.battery[chosen], self.riding[chosen],
        )  # fmt: skip


def draw_pings(city: City, stretches: Sequence[Stretch]) -> Pings:
    """One ping as a stretch begins and then one per cadence; vehicles in vans do not ping.

    Parked vehicles keep a clock of their own each, so that not all of them ping at once.
    """
    rows = np.array([tuple(stretch) for stretch in stretches], dtype=np.float64).reshape(-1, 10)
    vehicle, since, until = (rows[:, column].astype(np.int64) for column in (0, 1, 2))
    riding = rows[:, 9] > 0
    step = np.where(riding, city.spec.trip_ping_s, city.spec.parked_ping_s)
    clock = np.where(riding, since, vehicle * 37) % step
    first = since + 1 + (clock - since - 1) % step
    count = np.maximum(0, -((first - until) // step)) + 1
    source = np.repeat(np.arange(count.size), count)
    turn = np.arange(source.size) - np.repeat(np.cumsum(count) - count, count)
    at = np.where(turn == 0, since[source], first[source] + (turn - 1) * step[source])
    share = (at - since[source]) / np.maximum(1, until - since)[source]
    across, along = (rows[:, 5] - rows[:, 3])[source], (rows[:, 6] - rows[:, 4])[source]
    # Streets are not straight: the way bulges to one side of the line.
    bulge = 0.15 * np.sin(np.pi * share)
    pace = np.hypot(across, along) / np.maximum(1, until - since)[source] * 3.6 * 1.3
    moving = riding[source]
    return Pings(
        vehicle=vehicle[source],
        at=at,
        x=rows[:, 3][source] + across * share + along * bulge,
        y=rows[:, 4][source] + along * share - across * bulge,
        speed_kmh=np.where(moving & (turn > 0), pace, 0.0),
        battery=rows[:, 7][source] + (rows[:, 8] - rows[:, 7])[source] * share,
        riding=moving,
    )


def join(first: Pings, second: Pings) -> Pings:
    """Both, one after the other."""
    return Pings(
        *(
            np.concatenate([getattr(first, name), getattr(second, name)])
            for name in Pings.__dataclass_fields__
        )
    )


def telemetry_table(city: City, pings: Pings, day: int) -> pa.Table:
    """The canonical table of a day, by moment and vehicle, with error and HDOP.

    A stretch's own error is in its position already; each ping adds its own, which grows with HDOP:
    one in a hundred has a bad sky and is tens of metres off.
    """
    order = np.lexsort((pings.vehicle, pings.at))
    vehicle, at = pings.vehicle[order], pings.at[order]
    u = stream(city.seed, Purpose.TELEMETRY, day).random((order.size, 5))
    bad = u[:, 0] < _BAD_SKY_SHARE
    hdop = np.where(bad, 5.0 + 15.0 * u[:, 1], 0.7 + 1.1 * u[:, 1] ** 2)
    off_x, off_y = normals(u[:, 2], u[:, 3])
    sigma = 0.35 * city.spec.gps_error_m * hdop
    lat, lon = to_degrees(pings.x[order] + sigma * off_x, pings.y[order] + sigma * off_y)
    # Only riding vehicles are pulled ashore: the straight line of a ride may cross the gulf.
    lon = np.where(pings.riding[order], ashore(lat, lon), lon)
    battery = np.clip(pings.battery[order] + 0.6 * (u[:, 4] - 0.5), 0.0, 100.0)
    ids = pa.array(vehicle_ids(city), type=pa.string())
    return arrow_table(
        "telemetry",
        {
            "vehicle_id": ids.take(pa.array(vehicle)),
            "recorded_at": moments(city, at),
            "lat": lat.round(6),
            "lon": lon.round(6),
            "speed_kmh": pings.speed_kmh[order].round(1),
            "battery_pct": battery.round(1),
            "hdop": hdop.round(1),
            "locked": ~pings.riding[order],
        },
    )
