"""Published routing instances as problems of ours, and what a solution of one really costs.

The checker reads the file's own numbers, not our matrices, so that a wrong mapping cannot hide.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from fleetdesk.model.places import Point
from fleetdesk.model.plan import Action
from fleetdesk.routes.problem import Job, RoutingProblem, RoutingVan
from fleetdesk.routes.travel_times import TravelMatrix

BEST_KNOWN = {
    "X-n101-k25": 27591, "X-n200-k36": 58578, "X-n303-k21": 21736, "X-n1001-k43": 72355,
    "R101": 1637.7, "RC208": 776.1, "r1_2_1": 4667.2, "rc2_2_1": 2797.4,
    "C1_10_1": 245391, "p4.4.t": 1285, "p7.4.t": 1077,
    "1Bari30": 14600, "2Bari20": 15700, "3Bari10": 20600, "4ReggioEmilia30": 16900,
    "5ReggioEmilia20": 23200, "6ReggioEmilia10": 32500, "7Bergamo30": 12600,
    "8Bergamo20": 12700, "9Bergamo12": 13500, "44Denver10": 67459,
}  # fmt: skip
"""CVRPLIB, the DIMACS VRP challenge (distance), Chao's orienteering, Dell'Amico et al. 2014."""

FINE = 10_000
"""Steps of one unit of length where an instance has floating lengths."""


@dataclass(frozen=True, eq=False)
class Instance:
    """Node 0 is where vans start, `end` where they end; lengths as the file's rules round them.

    `prize` is None where every node must be visited. `scale` lengths are one unit of the cost.
    With `longest` given, scores are collected on routes that are no longer.
    """

    name: str
    kind: str
    xy: np.ndarray
    lengths: np.ndarray
    demand: tuple[int, ...]
    capacity: int
    vans: int
    scale: int = 1
    window: tuple[tuple[int, int], ...] = ()
    service: tuple[int, ...] = ()
    prize: tuple[int, ...] | None = None
    longest: float | None = None
    end: int = 0
    nodes: tuple[int, ...] = field(default=())

    @property
    def maximises(self) -> bool:
        """Whether the score is to be high."""
        return self.longest is not None


def read(path: Path) -> Instance | None:
    """The instance in a VRPLIB, Solomon or orienteering file; None when it is none of them."""
    text = path.read_text()
    if "NODE_COORD_SECTION" in text:
        return _vrplib(path.stem, text)
    if re.search(r"^\s*CUST", text, re.MULTILINE):
        return _solomon(path.stem, text)
    if re.match(r"\s*n\s+\d+\s+m\s+\d+\s+tmax", text):
        return _orienteering(path.name.removesuffix(".txt"), text)
    return None


def best_known(path: Path, name: str, given: dict[str, float]) -> float | None:
    """The best known value: as given, from the .sol file beside, or as published."""
    solved = path.with_suffix(".sol")
    if name in given:
        return given[name]
    if name in BEST_KNOWN:
        return BEST_KNOWN[name]
    if solved.exists() and (cost := re.search(r"Cost:?\s+([\d.]+)", solved.read_text())):
        return float(cost.group(1))
    return None


def as_problem(instance: Instance) -> RoutingProblem:
    """The instance in our terms: a step of length costs a thousandth, and a prize is as many.

    Where scores are collected, one is worth more than all the driving: of equal scores the
    shorter routes are better.
    """
    must = instance.prize is None
    worth = 1
    if instance.longest is not None:
        worth = 1 + instance.vans * math.floor(instance.longest * FINE)
    window = instance.window or ((0, 10**8),) * len(instance.xy)
    service = instance.service or (0,) * len(instance.xy)
    jobs = tuple(
        Job(
            task_id=str(node), vehicle_id="", action=Action.PICK_UP, point=node, place="",
            service_s=service[node], batteries=0, vehicles=instance.demand[node],
            value_milli=0 if instance.prize is None else instance.prize[node] * worth,
            bonus_milli=0, window_s=window[node] if instance.window else None, must=must,
        )
        for node in instance.nodes
    )  # fmt: skip
    ends = window[instance.end][1]
    if instance.longest is not None:
        ends = math.floor(instance.longest * FINE)
    van = RoutingVan("", 0, instance.end, 0, 0, ends, 0, instance.capacity, 1000, 0)
    points = tuple(Point(float(y) / 100, float(x) / 100) for x, y in instance.xy)
    table = instance.lengths.astype(np.int64)
    return RoutingProblem(
        jobs=jobs,
        vans=tuple(replace(van, worker=f"W{n}") for n in range(instance.vans)),
        points=points,
        matrices=(TravelMatrix(table, table, "as given"),),
        starts_at=datetime(2024, 1, 1, tzinfo=UTC),
        travel_times="as given",
    )


def cost(instance: Instance, routes: Sequence[Sequence[int]]) -> float:
    """What routes (nodes in their order, without start and end) cost, or score, by the file.

    SystemExit when a node comes twice or is missing, a load is too high or a time is broken.
    """
    visited = [node for route in routes for node in route]
    if len(set(visited)) != len(visited) or len(routes) > instance.vans:
        raise SystemExit(f"{instance.name}: a node is visited twice, or too many vans are used")
    if instance.prize is None and set(visited) != set(instance.nodes):
        raise SystemExit(f"{instance.name}: {len(instance.nodes) - len(visited)} nodes are missing")
    total = 0.0
    for route in routes:
        _refuse_broken(instance, route)
        total += sum(_leg(instance, a, b) for a, b in _legs(instance, route))
    if instance.maximises:
        return float(sum((instance.prize or ())[node] for node in visited))
    if instance.prize is not None:
        left = set(instance.nodes) - set(visited)
        total += sum(instance.prize[node] for node in left)
    return total / instance.scale


@dataclass(frozen=True, eq=False)
class Stations:
    """A bike-sharing rebalancing instance: what to take from each station (below 0: bring)."""

    name: str
    demand: tuple[int, ...]
    capacity: int
    lengths: np.ndarray


def read_stations(path: Path) -> Stations:
    """Number of nodes, demands, capacity and the full asymmetric matrix."""
    words = path.read_text().split()
    count = int(words[0])
    demand = tuple(int(word) for word in words[1 : count + 1])
    lengths = np.array(words[count + 2 :], float).reshape(count, count)
    np.fill_diagonal(lengths, 0)
    return Stations(path.stem, demand, int(words[count + 1]), np.rint(lengths).astype(np.int64))


def stations_cost(stations: Stations, rounds: Sequence[tuple[int, Sequence[int]]]) -> int:
    """Length of rounds (load on leaving, nodes); SystemExit when one cannot be driven."""
    visited = [node for _, nodes in rounds for node in nodes]
    if sorted(visited) != [node for node, wants in enumerate(stations.demand) if node and wants]:
        raise SystemExit(f"{stations.name}: not every station is served exactly once")
    total = 0
    for load, nodes in rounds:
        for node in [0, *nodes]:
            load += stations.demand[node]
            if not 0 <= load <= stations.capacity:
                raise SystemExit(f"{stations.name}: {load} on board after node {node}")
        where = [0, *nodes, 0]
        total += int(stations.lengths[where[:-1], where[1:]].sum())
    return total


def _refuse_broken(instance: Instance, route: Sequence[int]) -> None:
    if sum(instance.demand[node] for node in route) > instance.capacity:
        raise SystemExit(f"{instance.name}: a van is too full")
    if instance.longest is not None:
        length = sum(math.dist(instance.xy[a], instance.xy[b]) for a, b in _legs(instance, route))
        if length > instance.longest + 1e-6:
            raise SystemExit(f"{instance.name}: a route is {length} long, not {instance.longest}")
    now = 0
    for a, b in _legs(instance, route) if instance.window else ():
        now = max(now + _leg(instance, a, b), instance.window[b][0])
        if now > instance.window[b][1]:
            raise SystemExit(f"{instance.name}: node {b} is begun too late")
        now += instance.service[b]


def _legs(instance: Instance, route: Sequence[int]) -> list[tuple[int, int]]:
    return list(zip([0, *route], [*route, instance.end], strict=True))


def _leg(instance: Instance, a: int, b: int) -> int:
    """The length of one leg from the coordinates, rounded as the instance's makers say."""
    straight = math.dist(instance.xy[a], instance.xy[b])
    return int(straight + 0.5) if instance.kind == "CVRP" else int(straight * 10)


def _vrplib(name: str, text: str) -> Instance:
    head = dict(
        (part.strip() for part in line.split(":", 1)) for line in text.splitlines() if ":" in line
    )
    sections: dict[str, list[list[int]]] = {}
    at: list[list[int]] = []
    for line in text.splitlines():
        if line.strip().endswith("_SECTION"):
            at = sections.setdefault(line.strip(), [])
        elif re.match(r"\s*-?\d", line):
            at.append([int(float(word)) for word in line.split()])
    xy = np.array([row[1:] for row in sections["NODE_COORD_SECTION"]], float)
    demand = tuple(row[1] for row in sections["DEMAND_SECTION"])
    capacity = int(head["CAPACITY"])
    nodes = tuple(range(1, len(xy)))
    straight = np.hypot(*(xy[:, None, :] - xy[None, :, :]).transpose(2, 0, 1))
    if "PRIZE_SECTION" not in sections:
        # As many vans as anyone wants: a third more than the goods need.
        vans = math.ceil(1.3 * sum(demand) / capacity) + 2
        lengths = np.floor(straight + 0.5)
        return Instance(name, "CVRP", xy, lengths, demand, capacity, vans, nodes=nodes)
    service = (0, *(10 * int(head["SERVICE_TIME"]) for _ in nodes))
    return Instance(
        name, "PCVRPTW", xy, np.floor(straight * 10), demand, capacity, int(head["VEHICLES"]),
        window=tuple((10 * row[1], 10 * row[2]) for row in sections["TIME_WINDOW_SECTION"]),
        service=service, prize=tuple(10 * row[1] for row in sections["PRIZE_SECTION"]), nodes=nodes,
    )  # fmt: skip


def _solomon(name: str, text: str) -> Instance:
    rows = [[int(word) for word in re.findall(r"\d+", line)] for line in text.splitlines()]
    vans, capacity = next(row for row in rows if len(row) == 2)
    table = np.array([row for row in rows if len(row) == 7])
    xy = table[:, 1:3].astype(float)
    straight = np.hypot(*(xy[:, None, :] - xy[None, :, :]).transpose(2, 0, 1))
    return Instance(
        name, "VRPTW", xy, np.floor(straight * 10), tuple(table[:, 3].tolist()), capacity, vans,
        scale=10, window=tuple((10 * a, 10 * b) for a, b in table[:, 4:6].tolist()),
        service=tuple(10 * s for s in table[:, 6].tolist()), nodes=tuple(range(1, len(table))),
    )  # fmt: skip


def _orienteering(name: str, text: str) -> Instance:
    words = text.split()
    vans, longest = int(words[3]), float(words[5])
    table = np.array(words[6:], float).reshape(-1, 3)
    xy, score = table[:, :2], tuple(int(s) for s in table[:, 2])
    straight = np.hypot(*(xy[:, None, :] - xy[None, :, :]).transpose(2, 0, 1))
    return Instance(
        name, "TOP", xy, np.ceil(straight * FINE), (0,) * len(xy), 0, vans,
        prize=score, longest=longest, end=len(xy) - 1, nodes=tuple(range(1, len(xy) - 1)),
    )  # fmt: skip
