"""What is on record of each vehicle: when crews served it and what it earned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import fsum

from fleetdesk.fleet.history import History
from fleetdesk.settings.schema import Settings


@dataclass(frozen=True)
class Record:
    """When crews served each vehicle, and when it earned how much; naive UTC, as in the tables."""

    served: Mapping[str, Sequence[datetime]]
    earned: Mapping[str, Sequence[tuple[datetime, float]]]

    @classmethod
    def of(cls, history: History, settings: Settings) -> Record:
        """Everything up to the end of the history."""
        done = history.visits(settings)
        served: dict[str, list[datetime]] = {}
        for row in done.select("vehicle_id", "started_at").to_pyarrow().to_pylist():
            served.setdefault(row["vehicle_id"], []).append(row["started_at"])
        rides = history.known_trips(settings)
        money = rides.net_revenue if settings.costs.use_net_revenue else rides.revenue
        rides = rides.select("vehicle_id", "started_at", money=money)
        earned: dict[str, list[tuple[datetime, float]]] = {}
        for row in rides.to_pyarrow().to_pylist():
            earned.setdefault(row["vehicle_id"], []).append((row["started_at"], row["money"]))
        return cls(served, earned)

    def was_served(self, vehicle: str, first: datetime, last: datetime) -> bool:
        """Whether crews served it in [first, last)."""
        return any(first <= at < last for at in self.served.get(vehicle, ()))

    def revenue(self, vehicle: str, first: datetime, last: datetime) -> float:
        """What its trips brought that started in [first, last), in city currency."""
        return fsum(money for at, money in self.earned.get(vehicle, ()) if first <= at < last)
