"""Generated days of tasks, and days from a file of our own."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from random import Random

from fleetdesk.model.places import Point
from fleetdesk.model.work import ScooterState, Task, TaskKind, TaskRoi, Van
from fleetdesk.routes.building import build
from fleetdesk.routes.evaluate import violations
from fleetdesk.routes.problem import RoutingProblem, Stops
from fleetdesk.routes.travel_times import Haversine

CENTRE = Point(40.63, 22.94)
MORNING = datetime(2024, 5, 6, 6, tzinfo=UTC)


def generated_day(tasks: int, vans: int, batteries: int, seed: int) -> RoutingProblem:
    """Half swaps, a sixth moves, a third both, around a city's centre; 8-hour shifts."""
    draw = Random(seed)

    def spot() -> Point:
        return Point(CENTRE.lat + draw.gauss(0, 0.02), CENTRE.lon + draw.gauss(0, 0.025))

    parkings = [spot() for _ in range(60)]
    work: list[Task] = []
    values: dict[str, TaskRoi] = {}
    for number in range(tasks):
        task_id, at, lot = f"T{number}", spot(), draw.random()
        swaps, moves = lot < 0.5 or lot >= 0.667, lot >= 0.5
        to = min(parkings, key=at.distance_m) if moves else at
        kinds = (TaskKind.SWAP_BATTERY,) * swaps + (TaskKind.MOVE,) * moves
        work.append(
            Task(
                task_id, f"V{number}", kinds, (),
                ScooterState(at, at.cell(6), 15.0, True), ScooterState(to, to.cell(6), 100.0, True),
                service_s=180 * (swaps + moves), drop_off_s=120 * moves,
                batteries=int(swaps), vehicles=int(moves),
            )
        )  # fmt: skip
        values[task_id] = TaskRoi(task_id, draw.uniform(1, 7), 0.0, 0.8, 0.0, 24, "generated")
    morning = datetime(2024, 5, 6, 6, tzinfo=UTC)
    evening = morning + timedelta(hours=8)
    crews = [
        Van(f"W{n}", CENTRE, CENTRE, morning, evening, batteries, 10, 14, 0.3, 25)
        for n in range(vans)
    ]
    return build(work, values, {}, crews, Haversine(), "EUR")


def read_day(text: str) -> RoutingProblem:
    """A day from JSON: `tasks` and `workers`, each a list of objects; times in minutes.

    A task has id, lat, lon, value, minutes, and may have to (lat, lon), batteries, vehicles,
    from_min, until_min, skill, must. A worker has name, lat, lon, hours, batteries, vehicles,
    cost_per_h, cost_per_km, speed_kmh, and may have skills and overtime_min.
    """
    day = json.loads(text)
    work = [_task(row) for row in day["tasks"]]
    values = {
        row["id"]: TaskRoi(row["id"], float(row["value"]), 0.0, 0.0, 0.0, 24, "given")
        for row in day["tasks"]
    }
    crews = [_van(row) for row in day["workers"]]
    return build(work, values, {}, crews, Haversine(), day.get("currency", "EUR"))


def _task(row: dict) -> Task:
    at = Point(row["lat"], row["lon"])
    to = Point(*row["to"]) if "to" in row else at
    batteries, vehicles = row.get("batteries", 0), row.get("vehicles", int("to" in row))
    kinds = (TaskKind.SWAP_BATTERY,) * bool(batteries) + (TaskKind.MOVE,) * ("to" in row)
    return Task(
        row["id"], row["id"], kinds, (),
        ScooterState(at, at.cell(6), None, True), ScooterState(to, to.cell(6), None, True),
        service_s=round(60 * row["minutes"]), batteries=batteries, vehicles=vehicles,
        earliest=_clock(row.get("from_min")), latest=_clock(row.get("until_min")),
        skill=row.get("skill", ""), must=row.get("must", False),
    )  # fmt: skip


def _van(row: dict) -> Van:
    at = Point(row["lat"], row["lon"])
    return Van(
        row["name"], at, at, MORNING, MORNING + timedelta(hours=row["hours"]),
        row["batteries"], row["vehicles"], row["cost_per_h"], row["cost_per_km"], row["speed_kmh"],
        skills=frozenset(row.get("skills", ())), overtime_s=round(60 * row.get("overtime_min", 0)),
    )  # fmt: skip


def _clock(minutes: float | None) -> datetime | None:
    return None if minutes is None else MORNING + timedelta(minutes=minutes)


def refuse_undrivable(problem: RoutingProblem, sequences: tuple[Stops, ...]) -> None:
    broken = violations(problem, sequences)
    if broken:
        raise SystemExit(f"a plan breaks its limits: {broken[:3]}")
