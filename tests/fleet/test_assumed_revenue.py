from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fleetdesk.fleet.assumed_revenue import assumed
from fleetdesk.fleet.history import History
from fleetdesk.settings.schema import City, Costs, Settings

AS_OF = datetime(2024, 6, 4, tzinfo=UTC)
GROSS = Settings(city=City(timezone="UTC"), costs=Costs(use_net_revenue=False))


def test_an_assumed_day_earns_its_trips_and_no_more_than_the_charge_allows() -> None:
    found = assumed(History(None, None, AS_OF), GROSS)
    # Two trips of 1.00 + 10 x 0.20, though a Poisson day may bring none or many.
    assert found.value("u1x0ab1", 100.0, AS_OF, 24.0) == pytest.approx(6.0, abs=0.01)
    assert found.value("u1x0ab1", 17.0, AS_OF, 24.0) < 3.0  # one trip above the 10 % it keeps
    assert found.value("u1x0ab1", 9.0, AS_OF, 24.0) == 0.0
    assert "2 trips a day, each of 10 minutes and 6 % charge" in found.notes[0]


def test_net_revenue_is_net_here_too() -> None:
    net = GROSS.model_copy(update={"costs": Costs()})
    found = assumed(History(None, None, AS_OF), net)
    per_trip = 3.0 / 1.24 - 0.025 * 3.0 - 0.15
    assert found.value("u1x0ab1", 100.0, AS_OF, 24.0) == pytest.approx(2 * per_trip, abs=0.01)


def test_trips_that_lose_money_are_told() -> None:
    dear = GROSS.model_copy(update={"costs": Costs(cost_per_trip=9.0)})
    plain, loss = assumed(History(None, None, AS_OF), dear).notes
    assert "2024-06-04 00:00:" in plain
    assert "such a trip brings -6.66 EUR" in loss
