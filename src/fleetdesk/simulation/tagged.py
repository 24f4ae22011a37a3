"""What one vehicle would earn, had it alone been changed, in a future that was run without that.

One run of the city answers thousands of single tasks. Each tagged vehicle competes with those that
were for rent in that run, but for one whose part it plays: at first its own original, later the one
whose rider it took, because that rider would have brought it to the same place. The laws are those
of the engine, written for many vehicles at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fleetdesk.simulation.engine import (
    ABORTED_SHARE,
    CANCELLED_SHARE,
    HOUR,
    RESERVED_SHARE,
    City,
    Offer,
)
from fleetdesk.simulation.fleet import LOW_BATTERY_PCT, LOW_BATTERY_PENALTY_M
from fleetdesk.simulation.flows import likings
from fleetdesk.simulation.layout import ashore, to_degrees, to_metres
from fleetdesk.simulation.mishaps import FAULT_PER_H, LOST_PER_H, NOT_FOUND_PER_H
from fleetdesk.simulation.streams import Floats, Ints, Purpose, stream

_NEVER = 1 << 60


@dataclass(frozen=True)
class Tagged:
    """Where vehicles would stand for rent, in metres and percent, and the penalty in metres that
    riders see; `vehicle` is whose place each takes. One vehicle may be tagged many times."""

    vehicle: Ints
    x: Floats
    y: Floats
    battery: Floats
    penalty: Floats


def own_revenue(
    city: City, offers: Sequence[Offer], tagged: Tagged, first_hour: int, hours: int
) -> Floats:
    """Revenue of each tagged vehicle from trips that start in these hours; crews leave it alone.

    `offers` are those of one run of `city` over the same hours.
    """
    chains = _Chains(city, tagged, first_hour * HOUR, (first_hour + hours) * HOUR)
    columns = np.array(offers, dtype=np.float64).reshape(-1, len(Offer._fields))
    hour_of = columns[:, 0] // HOUR
    for hour in range(first_hour, first_hour + hours):
        chains.strike(hour)
        rows = columns[hour_of == hour]
        chains.ride(hour, {name: rows[:, i] for i, name in enumerate(Offer._fields)})
    return chains.revenue


class _Chains:
    """The tagged vehicles as they go; `ready` is the second from which each is for rent."""

    def __init__(self, city: City, tagged: Tagged, start: int, end: int) -> None:
        self.city, self.end = city, end
        self.vehicle, self.plays = tagged.vehicle, tagged.vehicle.copy()
        self.x, self.y = tagged.x.copy(), tagged.y.copy()
        self.battery = tagged.battery.copy()
        size = self.vehicle.size
        self.since = np.full(size, start, dtype=np.int64)
        usable = self.battery >= city.spec.usable_battery_pct
        self.ready = np.where(usable, start, _NEVER)
        self.penalty = tagged.penalty.copy()
        self.revenue = np.zeros(size)

    def strike(self, hour: int) -> None:
        """The mishaps at the top of an hour, with the chances of the vehicle it stands for."""
        spec, now = self.city.spec, hour * HOUR
        u = stream(self.city.seed, Purpose.FAULTS, hour).random((spec.vehicles, 3))
        chance, length = u[self.vehicle, 0], u[self.vehicle, 1]
        standing = self.ready <= now
        low = standing & (self._charge(np.arange(self.ready.size), now) < spec.usable_battery_pct)
        self.ready[low] = _NEVER
        rest = standing & ~low
        lost = rest & (chance < LOST_PER_H)
        missing = rest & ~lost & (chance < LOST_PER_H + NOT_FOUND_PER_H)
        broken = rest & ~lost & ~missing & (chance < LOST_PER_H + NOT_FOUND_PER_H + FAULT_PER_H)
        for hit, away in (
            (lost, 900 + (4 * HOUR * length**2).astype(np.int64)),
            (missing, ((6 + 60 * length) * HOUR).astype(np.int64)),
            (broken, ((3 + 12 * length) * HOUR).astype(np.int64)),
        ):
            which = np.flatnonzero(hit)
            self._stand(which, now, self._charge(which, now))
            back = now + away[which]
            empty = self._charge(which, back) < spec.usable_battery_pct
            self.ready[which] = np.where(empty, _NEVER, back)

    def ride(self, hour: int, offer: dict[str, Floats]) -> None:
        """The riders of an hour, each tagged vehicle taking the first that prefers it, and on."""
        likings = self._likings(hour, offer["place"].astype(np.int64))
        turn = np.arange(offer["at"].size)
        open_, after = np.arange(self.vehicle.size), np.zeros(self.vehicle.size, dtype=np.int64)
        while open_.size and turn.size:
            east = self.x[open_, None] - offer["x"]
            north = self.y[open_, None] - offer["y"]
            effort = np.sqrt(east * east + north * north) + self.penalty[open_, None]
            played = offer["vehicle"] == self.plays[open_, None]
            rival = np.where(played, offer["second_m"], offer["best_m"])
            taken = (effort <= offer["walk_m"]) & (effort - likings[open_] < rival)
            taken &= offer["at"] >= self.ready[open_, None]
            next_ = (taken | played) & (turn >= after[open_, None])
            some = next_.any(axis=1)
            open_, first, taken = open_[some], next_[some].argmax(axis=1), taken[some]
            after[open_] = first + 1
            takes = taken[np.arange(open_.size), first]
            self._take(open_[takes], {name: values[first[takes]] for name, values in offer.items()})
            self._leave(
                open_[~takes], {name: values[first[~takes]] for name, values in offer.items()}
            )

    def _leave(self, which: Ints, ride: dict[str, Floats]) -> None:
        """The rider of the vehicle it plays goes to the next best, whose part it now plays."""
        served = np.isfinite(ride["second_m"])
        self.plays[which[served]] = ride["second"][served].astype(np.int64)

    def _likings(self, hour: int, place: Ints) -> Floats:
        riders = int(place.max(initial=-1)) + 1
        drawn = likings(self.city.spec, self.city.seed, hour, riders)
        return np.zeros((self.vehicle.size, 1)) if drawn is None else drawn[place].T[self.vehicle]

    def _take(self, which: Ints, ride: dict[str, Floats]) -> None:
        at = ride["at"].astype(np.int64)
        served = np.isfinite(ride["best_m"])
        self.plays[which[served]] = ride["vehicle"][served].astype(np.int64)
        reserved = ride["habit"] < RESERVED_SHARE
        cancelled = reserved & (ride["mishap"] < CANCELLED_SHARE / RESERVED_SHARE)
        aborted = ~reserved & (ride["habit"] < RESERVED_SHARE + ABORTED_SHARE)
        begun = at + np.where(reserved, 60 + (540 * ride["delay"]).astype(np.int64), 0)
        self.ready[which[cancelled]] = begun[cancelled]
        back = at + 20 + (35 * ride["delay"]).astype(np.int64)
        self._stand(which[aborted], back[aborted], self._charge(which[aborted], at[aborted]))
        self.ready[which[aborted]] = back[aborted]
        goes = ~cancelled & ~aborted
        self._trip(which[goes], begun[goes], _rows(ride, goes))

    def _trip(self, which: Ints, at: Ints, ride: dict[str, Floats]) -> None:
        city, spec = self.city, self.city.spec
        battery = self._charge(which, at)
        x, y = self.x[which], self.y[which]
        full = ride["goal_full"] > 0
        end_x = np.where(full, ride["stray_x"], ride["end_x"])
        end_y = np.where(full, ride["stray_y"], ride["end_y"])
        cold = 1.0 + 0.01 * np.maximum(0.0, 15.0 - city.flows.weather.temperature_c[at // HOUR])
        per_km = city.build.drain_per_km[self.vehicle[which]] * ride["drain"] * cold
        straight = np.hypot(end_x - x, end_y - y)
        wanted = np.maximum(250.0, straight * ride["detour"] + 120.0)
        distance = np.minimum(wanted, np.maximum(100.0, (battery - 1.0) / per_km * 1000.0))
        dies = distance < wanted
        end_x, end_y = _on_the_way(x, y, end_x, end_y, distance / wanted, dies)
        duration = np.round(distance / ride["speed"] + 45.0).astype(np.int64)
        paid = np.round(ride["unlock"] + ride["per_min"] * duration / 60.0, 2)
        self.revenue[which] += np.where(at < self.end, paid, 0.0)
        end, charge = at + duration, np.maximum(0.5, battery - per_km * distance / 1000.0)
        self.x[which], self.y[which] = end_x, end_y
        # A subscriber may put a full battery in at a cabinet.
        parking = np.where(full | dies, -1, ride["end_parking"]).astype(np.int64)
        cabinet = (parking >= 0) & np.array(city.layout.cabinet)[parking]
        swaps = cabinet & (ride["subscribed"] > 0) & (charge < 45.0) & (ride["delay"] < 0.6)
        wait = np.round(30 + 400 * ride["delay"] ** 2).astype(np.int64) + 60
        ready = end + np.where(swaps, wait, 0)
        charge = np.where(swaps, 97.0, charge)
        self._stand(which, ready, charge)
        self.ready[which] = np.where(charge < spec.usable_battery_pct, _NEVER, ready)

    def _charge(self, which: Ints, at: Ints | int) -> Floats:
        gone = self.city.build.standby_per_s * (at - self.since[which])
        return np.asarray(np.maximum(0.0, self.battery[which] - gone))

    def _stand(self, which: Ints, at: Ints | int, battery: Floats) -> None:
        self.battery[which], self.since[which] = battery, at
        lack = np.maximum(0.0, LOW_BATTERY_PCT - battery) / LOW_BATTERY_PCT
        self.penalty[which] = LOW_BATTERY_PENALTY_M * lack


def _rows(offer: dict[str, Floats], which: Ints | NDArray[np.bool_]) -> dict[str, Floats]:
    return {name: values[which] for name, values in offer.items()}


def _on_the_way(
    x: Floats, y: Floats, end_x: Floats, end_y: Floats, share: Floats, dies: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Where trips end: at their goal, or where the battery dies, pulled out of the gulf."""
    lat, lon = to_degrees(x + (end_x - x) * share, y + (end_y - y) * share)
    dry_x, dry_y = to_metres(lat, ashore(lat, lon))
    return np.where(dies, dry_x, end_x), np.where(dies, dry_y, end_y)
