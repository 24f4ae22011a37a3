"""What an estimator may learn from: records up to one moment, and nothing after it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from fleetdesk.features.calendar import calendar, moment
from fleetdesk.features.cell_hours import cell_hours
from fleetdesk.features.cycles import cycles, timeline
from fleetdesk.features.trips import countable, priced
from fleetdesk.features.visits import visits
from fleetdesk.settings.schema import Settings


@dataclass(frozen=True)
class History:
    """Canonical EVENTS and TRIPS, the UTC-aware moment up to which they may be looked at, and
    RIDER_SWAPS where riders can swap batteries."""

    events: Any
    trips: Any
    as_of: datetime
    rider_swaps: Any | None = None
    kept: dict[Hashable, Any] = field(default_factory=dict, compare=False, repr=False)

    def start(self, settings: Settings) -> datetime:
        """Where the sheet's window of history begins."""
        return self.as_of - timedelta(days=settings.city.window_days)

    def hours(self, settings: Settings) -> Any:
        """The calendar of the window."""
        return calendar(self.start(settings), self.as_of, settings.city.timezone)

    @cached_property
    def timeline(self) -> Any:
        """The events with their phases and cycles, worked out once."""
        return timeline(self.events, self.as_of).cache()

    def ledger(self, settings: Settings) -> Any:
        """The cycles at the sheet's prices, worked out once."""

        def make() -> Any:
            return cycles(self.timeline, self.known_trips(settings), self.as_of)

        return self._once(("ledger", settings.costs), make)

    def visits(self, settings: Settings) -> Any:
        """What crews did between them, followed over the sheet's horizon; worked out once."""
        horizon_h = settings.thresholds.horizon_h

        def make() -> Any:
            ledger, trips = self.ledger(settings), self.known_trips(settings)
            return visits(ledger, trips, self.as_of, horizon_h)

        return self._once(("visits", settings.costs, horizon_h), make)

    def known_trips(self, settings: Settings) -> Any:
        """Priced trips that rates may be learnt from and that had ended by `as_of`."""
        trips = countable(priced(self.trips, settings.costs))
        return trips.filter(trips.ended_at <= moment(self.as_of))

    def known_rider_swaps(self) -> Any | None:
        """Swaps by riders up to `as_of`; None where there are no records of any."""
        if self.rider_swaps is None:
            return None
        return self.rider_swaps.filter(self.rider_swaps.swapped_at <= moment(self.as_of))

    def snapshots(self, settings: Settings) -> Any:
        """Where every vehicle stood at each full hour of the window, and what came after."""
        trips, hours = self.known_trips(settings), self.hours(settings)
        return cell_hours(self.timeline, trips, hours, self.as_of)

    def recent_trips(self, settings: Settings) -> Any:
        """Those of them that started within the window."""
        trips = self.known_trips(settings)
        return trips.filter(trips.started_at >= moment(self.start(settings)))

    def _once(self, name: Hashable, make: Callable[[], Any]) -> Any:
        if name not in self.kept:
            self.kept[name] = make().cache()
        return self.kept[name]
