"""A day small enough to hold in the head: two workers, five tasks, one of them dropped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from fleetdesk.model.fleet import VehicleNow
from fleetdesk.model.places import Point
from fleetdesk.model.plan import Action, DropCode, Dropped, Plan, Route, Visit
from fleetdesk.model.work import Priority, Rule, ScooterState, Task, TaskKind, TaskRoi, Van
from fleetdesk.settings.schema import City, ParkingRow, Settings, Worker

NOON = datetime(2025, 6, 3, 6, 0, tzinfo=UTC)  # 09:00 in Athens
SQUARE = Point(40.6324, 22.9407)
STATION = Point(40.6446, 22.9296)
TOWER = Point(40.6264, 22.9484)


@dataclass(frozen=True)
class Day:
    settings: Settings
    tasks: tuple[Task, ...]
    priorities: tuple[Priority, ...]
    rois: dict[str, TaskRoi]
    fleet: tuple[VehicleNow, ...]
    vans: tuple[Van, ...]
    plan: Plan


@pytest.fixture
def day() -> Day:
    settings = Settings(
        city=City(name="Θεσσαλονίκη", timezone="Europe/Athens", currency="EUR", cell_precision=6),
        workers=(
            Worker(name="Ελένη", start_lat=STATION.lat, start_lon=STATION.lon),
            Worker(name="Nikos", start_lat=STATION.lat, start_lon=STATION.lon),
        ),
        parkings=(
            ParkingRow(parking_id="P1", name="Aristotelous", lat=SQUARE.lat, lon=SQUARE.lon,
                       minimum=2, target=4),
            ParkingRow(parking_id="P2", name="Λευκός Πύργος", lat=TOWER.lat, lon=TOWER.lon,
                       minimum=0, target=3),
        ),
    )  # fmt: skip
    tasks = (
        task("T1", "V1", Point(40.6380, 22.9440), battery=8),
        task("T2", "V2", TOWER, battery=22, parking="P2", operational=True),
        task("T3", "V3", Point(40.6290, 22.9520), battery=64, to="P1", operational=True),
        task("T4", "V4", Point(40.6410, 22.9350), battery=5, to="P1", swap=True),
        task("T5", "V5", Point(40.6500, 22.9700), battery=29, operational=True),
    )
    vans = tuple(
        Van(name, STATION, STATION, NOON, NOON + timedelta(hours=8), 40, 10, 14.0, 0.3, 25.0)
        for name in ("Ελένη", "Nikos")
    )
    return Day(
        settings=settings,
        tasks=tasks,
        priorities=tuple(
            Priority(t.task_id, 90.0 - 10 * i, i + 1,
                     (("Low battery", 0.9, 0.35), ("Return on investment", 0.5, 0.30),
                      ("Outside parkings", 0.0, 0.35)))
            for i, t in enumerate(tasks)
        ),
        rois={
            t.task_id: TaskRoi(t.task_id, 10.0 + i, 4.0, 1.5, 0.7, 24.0, "v0")
            for i, t in enumerate(tasks)
        },
        fleet=tuple(
            VehicleNow(t.vehicle_id, t.before.at, t.before.cell, t.before.battery_pct,
                       "operational", "available", NOON, NOON, 5.0, t.from_parking_id)
            for t in tasks
        ),
        vans=vans,
        plan=Plan(
            routes=(
                route("Ελένη", (
                    visit("T1", "V1", Action.SWAP, tasks[0].before.at, "sv8tqk", 10, 0, 39),
                    visit("T4", "V4", Action.SWAP_AND_PICK_UP, tasks[3].before.at, "sv8tqh",
                          20, 1, 38),
                    visit("T4", "V4", Action.DROP_OFF, SQUARE, "Aristotelous", 32, 0, 38),
                )),
                route("Nikos", (
                    visit("T2", "V2", Action.SWAP, TOWER, "Λευκός Πύργος", 15, 0, 39),
                    visit("T3", "V3", Action.PICK_UP, tasks[2].before.at, "sv8tqs", 22, 1, 39),
                    visit("T3", "V3", Action.DROP_OFF, SQUARE, "Aristotelous", 35, 0, 39),
                )),
            ),
            dropped=(
                Dropped("T5", DropCode.DETOUR,
                        "The cheapest detour costs 4.10 more than its ROI of 3.20",
                        "A worker who starts nearer"),
            ),
            engine="pyvrp", travel_times="straight line x 1.35 at the van's speed (estimated)",
            seed=1, iterations=200,
        ),
    )  # fmt: skip


def task(
    task_id: str,
    vehicle: str,
    at: Point,
    *,
    battery: float,
    to: str | None = None,
    swap: bool = False,
    parking: str | None = None,
    operational: bool = False,
) -> Task:
    swap = swap or to is None
    kinds = ((TaskKind.SWAP_BATTERY,) if swap else ()) + ((TaskKind.MOVE,) if to else ())
    rules = ((Rule.LOW_BATTERY,) if swap else ()) + ((Rule.OUTSIDE_PARKING,) if to else ())
    goal = SQUARE if to else at
    return Task(
        task_id, vehicle, kinds, rules,
        ScooterState(at, at.cell(6), battery, operational),
        ScooterState(goal, goal.cell(6), 100.0 if swap else battery, True),
        service_s=180, drop_off_s=120 if to else 0, batteries=int(swap), vehicles=int(bool(to)),
        from_parking_id=parking, to_parking_id=to, to_name="Aristotelous" if to else "",
        idle_h=26.0, why=f"Battery {battery:g} % is below the limit of 30 %",
    )  # fmt: skip


def visit(
    task_id: str, vehicle: str, action: Action, at: Point, place: str, minute: int, load: int,
    left: int,
) -> Visit:  # fmt: skip
    arrive = NOON + timedelta(minutes=minute)
    return Visit(
        task_id, vehicle, action, at, place, arrive, arrive + timedelta(minutes=3), 1400, 240, 0,
        load, left,
    )  # fmt: skip


def route(worker: str, visits: tuple[Visit, ...]) -> Route:
    return Route(
        worker, visits, NOON, NOON + timedelta(minutes=45), 5600, 2700, 1400, 240, 14_500, 900,
        1_680, 3_000,
    )  # fmt: skip
