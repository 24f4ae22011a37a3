"""Time fences that hold locked stops in their order while a search moves everything else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from fleetdesk.routes.pins import Rules
from fleetdesk.routes.problem import RoutingProblem, Stop, Stops
from fleetdesk.routes.pyvrp_model import Fences
from fleetdesk.routes.schedule import earliest

_SHARES = (0.5, 0.1, 0.9)
"""Where between two locked stops their fence stands, in turn.

Near the first there is room to drive to the second sooner, near the second for stops before it.
"""
_NEVER = int(np.iinfo(np.int64).max)


def between(problem: RoutingProblem, sequences: Sequence[Stops], rules: Rules, turn: int) -> Fences:
    """A fence between each two locked stops of a van as `sequences` drive them.

    Whoever begins each stop within its fences keeps the order. A frozen beginning needs none.
    """
    share = _SHARES[turn % len(_SHARES)]
    fences: dict[Stop, tuple[int, int]] = {}
    for van, order in rules.order.items():
        begins = dict(_begins(problem, van, sequences[van]))
        free = order[rules.frozen.get(van, 0) :]
        early = 0
        for stop, after in pairwise(free):
            late = begins[stop] + int(share * (begins[after] - begins[stop]))
            fences[stop] = (early, late)
            early = min(late + 1, begins[after])
        if early:
            fences[free[-1]] = (early, _NEVER)
    return fences


def _begins(problem: RoutingProblem, van: int, stops: Stops) -> Iterator[tuple[Stop, int]]:
    """When work begins at each stop, in the problem's seconds."""
    return zip(stops, earliest(problem, problem.vans[van], stops).begin_s, strict=True)
