"""Planning a day: how long is searched."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleetdesk.routes.edits import Replanned
from fleetdesk.routes.solve import plan
from fleetdesk.routes.stop import Iterations
from fleetdesk.settings.schema import Settings
from fleetdesk.workflows import plan_day

from ..routes.conftest import Town

SETTINGS = Settings.model_validate({"city": {"search_effort": 2000}})


@pytest.mark.parametrize(("searched", "rounds"), [(2000, 100), (400, 20), (4, 0), (0, 0)])
def test_limits_are_searched_no_longer_than_the_routes_were(
    searched: int, rounds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = Town()
    town.swap(1, 0, 9.0)
    town.van()
    problem = town.problem()
    found = replace(plan(problem, Iterations(1), seed=1), iterations=searched)
    asked: list[int] = []
    monkeypatch.setattr(
        plan_day, "worth_of_limits", lambda *given, **_: asked.append(given[2].limit) or ()
    )
    plan_day._limits(problem, Replanned(found), SETTINGS, lambda *_: None)
    assert asked == [rounds]
