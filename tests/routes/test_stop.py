from __future__ import annotations

from fleetdesk.routes.stop import Iterations, Seconds


def test_rules_look_at_their_own_measure() -> None:
    assert [Iterations(3).reached(n, 99.0) for n in (2, 3)] == [False, True]
    assert [Seconds(1.5).reached(99, s) for s in (1.4, 1.5)] == [False, True]
