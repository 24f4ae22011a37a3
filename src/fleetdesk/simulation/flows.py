"""Who sets out where and when, and where they go: the true rates behind the records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from fleetdesk.simulation.city import CitySpec
from fleetdesk.simulation.layout import Layout
from fleetdesk.simulation.places import Kind
from fleetdesk.simulation.streams import Floats, Ints, Purpose, normals, poisson, stream
from fleetdesk.simulation.weather import Weather

DAYPARTS = ("night", "morning", "afternoon", "evening")
SPEED_KMH = 14.0
_FIELDS = 26
_GRAVITY_M = 1400.0

# Departures by local hour (0 to 23) as parts of a thousand, on workdays and at weekends.
_PROFILES: dict[Kind, tuple[tuple[int, ...], tuple[int, ...]]] = {
    Kind.CENTRE: (
        (18, 10, 6, 4, 3, 4, 8, 20, 36, 36, 40, 48,
         58, 66, 72, 68, 64, 68, 74, 74, 68, 58, 44, 30),
        (38, 26, 16, 9, 5, 4, 6, 10, 18, 30, 44, 56,
         64, 66, 62, 56, 56, 62, 70, 76, 74, 66, 56, 46),
    ),
    Kind.SHORE: (
        (20, 10, 5, 3, 2, 4, 10, 18, 24, 26, 30, 36,
         42, 46, 48, 50, 58, 74, 92, 104, 100, 80, 58, 36),
        (36, 22, 12, 6, 4, 4, 8, 12, 22, 36, 50, 60,
         62, 56, 48, 48, 56, 70, 86, 92, 84, 68, 52, 42),
    ),
    Kind.CAMPUS: (
        (6, 4, 2, 2, 2, 3, 8, 22, 38, 48, 60, 76,
         88, 96, 98, 92, 84, 74, 60, 48, 36, 26, 16, 10),
        (20, 12, 8, 4, 3, 3, 6, 10, 18, 30, 44, 58,
         70, 74, 70, 66, 64, 64, 64, 62, 56, 48, 38, 28),
    ),
    Kind.STATION: (
        (8, 4, 3, 3, 6, 20, 48, 84, 92, 66, 50, 48,
         50, 54, 56, 58, 64, 68, 62, 52, 42, 30, 20, 12),
        (16, 10, 6, 4, 6, 16, 30, 42, 52, 56, 58, 60,
         60, 58, 56, 56, 58, 62, 64, 60, 52, 42, 30, 20),
    ),
    Kind.SUBURB: (
        (8, 4, 3, 2, 4, 16, 48, 98, 102, 66, 50, 46,
         46, 46, 44, 44, 48, 56, 64, 66, 58, 42, 26, 14),
        (18, 10, 6, 4, 3, 6, 14, 24, 40, 54, 62, 66,
         66, 60, 52, 50, 56, 66, 76, 78, 68, 54, 36, 24),
    ),
}  # fmt: skip
_WEEKEND_LEVEL = {
    Kind.CENTRE: 1.05, Kind.SHORE: 1.4, Kind.CAMPUS: 0.45, Kind.STATION: 0.8, Kind.SUBURB: 0.9,
}  # fmt: skip
# How strongly each kind draws arrivals, per daypart.
_ATTRACTION = {
    Kind.CENTRE: (0.9, 1.5, 1.2, 1.2), Kind.SHORE: (0.8, 0.7, 1.1, 1.7),
    Kind.CAMPUS: (0.3, 1.9, 1.0, 0.5), Kind.STATION: (0.6, 1.0, 1.2, 0.9),
    Kind.SUBURB: (1.7, 0.5, 1.0, 1.3),
}  # fmt: skip


@dataclass(frozen=True)
class Flows:
    """True demand: per cell, weekpart and local hour; and where trips go by daypart.

    `base` (2 weekparts x 24 x cells) is riders an hour in fair weather; `destinations` (4 dayparts
    x cells x cells) sums to 1 over the last axis, `cumulative` runs it up.
    `local_hour` and `weekend` are per UTC hour since the start.
    """

    base: Floats
    destinations: Floats
    cumulative: Floats
    local_hour: Ints
    weekend: Ints
    weather: Weather

    def rates(self, hour: int) -> Floats:
        """Riders who look for a vehicle in each cell during one UTC hour since the start."""
        weekpart, local = self.weekend[hour], self.local_hour[hour]
        return np.asarray(self.base[weekpart, local] * self.weather.demand_factor[hour])

    def daypart(self, hour: int) -> int:
        """0 night, 1 morning, 2 afternoon, 3 evening."""
        return daypart_of(int(self.local_hour[hour]))


@dataclass(frozen=True)
class Arrivals:
    """The riders of one hour, by time; everything they would do is drawn before they come.

    Positions in metres; `end_parking` is -1 for those who will leave the vehicle elsewhere.
    `liking_m` (riders x vehicles) is what each vehicle is worth to each rider beside its distance.
    """

    at: list[int]
    cell: list[int]
    x: Floats
    y: Floats
    walk_m: list[float]
    rider_draw: list[tuple[float, float]]
    end_x: list[float]
    end_y: list[float]
    end_parking: list[int]
    stray_x: list[float]
    stray_y: list[float]
    error_x: list[float]
    error_y: list[float]
    detour: list[float]
    speed: list[float]
    drain: list[float]
    habit: list[float]
    delay: list[float]
    mishap: list[float]
    liking_m: Floats | None


def build_flows(spec: CitySpec, layout: Layout, weather: Weather, days: int) -> Flows:
    """Rates by profile and pull, destinations by gravity."""
    base = np.zeros((2, 24, len(layout.cells)))
    for number, kind in enumerate(Kind):
        for weekpart, profile in enumerate(_PROFILES[kind]):
            level = np.array(profile) / sum(profile)
            level *= _WEEKEND_LEVEL[kind] if weekpart else 1.0
            base[weekpart] += level[:, None] * layout.pull[number][None, :]
    week = (5 * base[0].sum() + 2 * base[1].sum()) / 7
    base *= spec.demand_per_day / week
    destinations = _gravity(layout)
    zone = ZoneInfo(spec.timezone)
    start = spec.starts_at.replace(tzinfo=UTC)
    local = [(start + timedelta(hours=h)).astimezone(zone) for h in range(days * 24)]
    return Flows(
        base=base,
        destinations=destinations,
        cumulative=np.cumsum(destinations, axis=2),
        local_hour=np.array([moment.hour for moment in local]),
        weekend=np.array([int(moment.weekday() >= 5) for moment in local]),
        weather=weather,
    )


def daypart_of(local_hour: int) -> int:
    """Night until 6, morning until 11, afternoon until 17, evening until 23."""
    return 0 if local_hour < 6 or local_hour >= 23 else 1 + (local_hour >= 11) + (local_hour >= 17)


def draw_arrivals(spec: CitySpec, layout: Layout, flows: Flows, seed: int, hour: int) -> Arrivals:
    """The riders of one hour; each cell has its own stream and each rider fixed places in it."""
    cells, blocks = [], []
    for cell, rate in enumerate(flows.rates(hour).tolist()):
        generator = stream(seed, Purpose.ARRIVALS, hour, cell)
        count = poisson(generator.random(), rate)
        if count:
            cells += [cell] * count
            blocks.append(generator.random((count, _FIELDS)))
    u = np.concatenate(blocks) if blocks else np.empty((0, _FIELDS))
    cell_of = np.array(cells, dtype=np.int64)
    at = hour * 3600 + (u[:, 0] * 3600).astype(np.int64)
    order = np.lexsort((cell_of, at))
    u, cell_of, at = u[order], cell_of[order], at[order]

    x, y = _origins(layout, cell_of, u)
    goal = np.minimum(
        (flows.cumulative[flows.daypart(hour)][cell_of] < u[:, 7, None]).sum(axis=1),
        len(layout.cells) - 1,
    )
    end_parking, stray_x, stray_y = _ends(spec, layout, goal, u)
    at_parking = end_parking >= 0
    park_x, park_y = normals(u[:, 12], u[:, 13])
    error_x, error_y = normals(u[:, 14], u[:, 15])
    haste, wear = normals(u[:, 16], u[:, 17])
    sigma = spec.gps_error_m / np.sqrt(2.0)
    # One fix in a hundred is taken in a bad place between tall houses.
    sigma_each = sigma * np.where(u[:, 20] < 0.01, 8.0, 1.0)
    return Arrivals(
        at=at.tolist(),
        cell=cell_of.tolist(),
        x=x,
        y=y,
        walk_m=_patience(spec, u[:, 4]).tolist(),
        rider_draw=list(zip(u[:, 5].tolist(), u[:, 6].tolist(), strict=True)),
        end_x=np.where(at_parking, layout.parking_x[end_parking] + 7.0 * park_x, stray_x).tolist(),
        end_y=np.where(at_parking, layout.parking_y[end_parking] + 7.0 * park_y, stray_y).tolist(),
        end_parking=end_parking.tolist(),
        stray_x=stray_x.tolist(),
        stray_y=stray_y.tolist(),
        error_x=(error_x * sigma_each).tolist(),
        error_y=(error_y * sigma_each).tolist(),
        detour=(1.15 - 0.18 * np.log1p(-u[:, 18])).tolist(),
        speed=(SPEED_KMH / 3.6 * np.exp(0.2 * haste - 0.02)).tolist(),
        drain=np.exp(0.15 * wear).tolist(),
        habit=u[:, 19].tolist(),
        delay=u[:, 21].tolist(),
        mishap=u[:, 22].tolist(),
        liking_m=likings(spec, seed, hour, at.size),
    )


def likings(spec: CitySpec, seed: int, hour: int, riders: int) -> Floats | None:
    """Gumbel errors in metres, riders x vehicles: riders then choose by a logit (McFadden, 1974).

    None where riders take the nearest.
    """
    if not spec.liking_m:
        return None
    u = stream(seed, Purpose.LIKINGS, hour).random((riders, spec.vehicles))
    return np.asarray(-spec.liking_m * np.log(-np.log1p(-u)))


def _patience(spec: CitySpec, uniform: Floats) -> Floats:
    """How far each rider walks: Weibull of shape 2, so that hardly anyone gives up at once."""
    return np.asarray(spec.walk_mean_m / 0.8862 * np.sqrt(-np.log1p(-uniform)))


def _origins(layout: Layout, cell: Ints, u: Floats) -> tuple[Floats, Floats]:
    """Six in ten set out around a parking, where the city is busy; the rest anywhere."""
    spot_x, spot_y = _spot(layout, cell, u[:, 2], u[:, 3])
    parking = _parking(layout, cell, u[:, 23])
    near_x, near_y = normals(u[:, 24], u[:, 25])
    busy = (u[:, 1] < 0.6) & (parking >= 0)
    x = np.where(busy, layout.parking_x[parking] + 110.0 * near_x, spot_x)
    y = np.where(busy, layout.parking_y[parking] + 110.0 * near_y, spot_y)
    return x, y


def _ends(spec: CitySpec, layout: Layout, goal: Ints, u: Floats) -> tuple[Ints, Floats, Floats]:
    """The parking in the goal's cell, or near it, unless the rider leaves the vehicle anywhere."""
    stray_x, stray_y = _spot(layout, goal, u[:, 10], u[:, 11])
    parking = _parking(layout, goal, u[:, 9])
    away = np.hypot(
        layout.cell_x[goal][:, None] - layout.parking_x,
        layout.cell_y[goal][:, None] - layout.parking_y,
    )
    nearest = away.argmin(axis=1)
    parking = np.where(parking >= 0, parking, np.where(away.min(axis=1) < 700, nearest, -1))
    return np.where(u[:, 8] < spec.outside_share, -1, parking), stray_x, stray_y


def _spot(layout: Layout, cell: Ints, first: Floats, second: Floats) -> tuple[Floats, Floats]:
    spots = layout.spots_x.shape[1]
    chosen = (first * spots).astype(np.int64)
    shift = (first * spots) % 1.0 - 0.5
    x = layout.spots_x[cell, chosen] + 90.0 * np.abs(shift)
    return x, layout.spots_y[cell, chosen] + 60.0 * (second - 0.5)


def _parking(layout: Layout, cell: Ints, uniform: Floats) -> Ints:
    first, after = layout.first_parking[cell], layout.first_parking[cell + 1]
    chosen = first + (uniform * (after - first)).astype(np.int64)
    some = layout.parking_of[np.minimum(chosen, layout.parking_of.size - 1)]
    return np.asarray(np.where(after > first, some, -1), dtype=np.int64)


def _gravity(layout: Layout) -> Floats:
    """P(d | o) proportional to what draws riders to d, falling with distance; own cell at half."""
    x, y = layout.cell_x, layout.cell_y
    apart = np.hypot(x[:, None] - x, y[:, None] - y)
    near = np.exp(-apart / _GRAVITY_M) * np.where(np.eye(x.size, dtype=np.bool_), 0.5, 1.0)
    flows = np.empty((len(DAYPARTS), x.size, x.size))
    for part in range(len(DAYPARTS)):
        drawn = np.array([_ATTRACTION[kind][part] for kind in Kind]) @ layout.pull + 1e-6
        flows[part] = near * drawn[None, :]
    return np.asarray(flows / flows.sum(axis=2, keepdims=True))
