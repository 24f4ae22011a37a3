from __future__ import annotations

from fleetdesk.routes.stop import FirstOf, Iterations, Seconds


def test_rules_look_at_their_own_measure() -> None:
    assert [Iterations(3).reached(n, 99.0) for n in (2, 3)] == [False, True]
    assert [Seconds(1.5).reached(99, s) for s in (1.4, 1.5)] == [False, True]


def test_the_first_rule_that_is_reached_ends_the_search() -> None:
    rule = FirstOf((Iterations(3), Seconds(1.0)))
    assert not rule.reached(2, 0.9)
    assert rule.reached(3, 0.0)
    assert rule.reached(0, 1.0)
