"""Simulated cities for benchmarks/roi.py: their records, tasks that could be done, and the truth.

Only this part knows the simulator. Into RECORDS go the canonical tables, the tasks as a planner
would see them and what is asked; the truth goes into a file of its own, which the scorer opens.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fleetdesk import simulation
from fleetdesk.model.places import Point
from fleetdesk.simulation.city import CitySpec, demo_city
from fleetdesk.simulation.generate import dimensions, generate
from fleetdesk.simulation.layout import Layout, build_layout, to_degrees
from fleetdesk.simulation.places import PLACES
from fleetdesk.simulation.truth import Change, SavedCity, Standing

SIMULATOR = [*sorted(Path(simulation.__file__).parent.glob("*.py")), Path(__file__)]
DROP_SPREAD_M = 6.0  # how far from a parking's middle vehicles are put down


@dataclass(frozen=True)
class Size:
    """How much is simulated: the city, and how closely the truth is worked out.

    Without `crews` nobody serves any vehicle within the horizon.
    """

    vehicles: int = 500
    days: int = 28
    cells: int = 64
    horizon_h: int = 24
    futures: int = 100
    batch: int = 25
    tasks: int = 500
    crews: bool = True


def city_of(size: Size, riders_per_day: float, seed: int, **laws: float) -> CitySpec:
    """A city without weather of about `size.cells` cells, whose last day moves with the seed.

    So the seeds together ask about every day of the week.
    """
    spec = demo_city(
        vehicles=size.vehicles, days=size.days, end_day=date(2026, 6, 16) + timedelta(days=seed),
        demand_per_vehicle=riders_per_day / size.vehicles,
    )  # fmt: skip
    spec = replace(
        spec, weather_effect=0.0, signups_per_day=0.0, riders=4000, liking_m=100.0, **laws
    )
    counts = {
        n: len(build_layout(replace(spec, parkings=n)).cells) for n in range(8, len(PLACES) + 1)
    }
    nearest = min(counts, key=lambda n: abs(counts[n] - size.cells))
    return replace(spec, parkings=nearest)


def make_world(spec: CitySpec, size: Size, seed: int, cost: float, folder: Path) -> None:
    """Write `folder/records` (what an estimator may see) and `folder/truth.parquet`."""
    records = folder / "records"
    records.mkdir(parents=True, exist_ok=True)
    _write_records(spec, seed, records)
    saved = SavedCity(spec, seed, spec.ends_at, size.horizon_h)
    tasks = _tasks(spec, saved, seed, size.tasks)
    pq.write_table(_as_seen(tasks), records / "tasks.parquet")
    question = {
        "timezone": spec.timezone, "currency": spec.currency, "as_of": f"{spec.ends_at}+00:00",
        "window_days": spec.days, "horizon_h": size.horizon_h, "cost": cost,
        "usable_battery_pct": spec.usable_battery_pct,
    }  # fmt: skip
    (records / "question.json").write_text(json.dumps(question), encoding="utf-8")
    own, without, fleet = _futures(saved, tasks, size, seed)
    gain = own - without
    pq.write_table(
        pa.table(
            {
                "task_id": [task.task_id for task in tasks],
                "revenue_after": own.mean(axis=0),
                "revenue_without": without.mean(axis=0),
                "gain_se": gain.std(axis=0, ddof=1) / math.sqrt(size.futures),
            }
        ),
        folder / "truth.parquet",
    )
    whole = {"gain_per_task": fleet.mean(), "se": fleet.std(ddof=1) / math.sqrt(size.futures)}
    (folder / "fleet_truth.json").write_text(json.dumps(whole), encoding="utf-8")
    about = {"seed": seed, "size": asdict(size), "spec": str(spec)}
    (folder / "world.json").write_text(json.dumps(about), encoding="utf-8")


@dataclass(frozen=True)
class _Task:
    task_id: str
    vehicle: Standing
    change: Change


def fleet_gains(
    spec: CitySpec, size: Size, seed: int, groups: Sequence[Collection[str]], futures: int
) -> tuple[np.ndarray, np.ndarray]:
    """What the whole fleet earns more per task when all tasks of a group are done, by their ids:
    means over the futures and their standard errors, one per group.

    A vehicle that has two tasks in a group has the first one done.
    """
    saved = SavedCity(spec, seed, spec.ends_at, size.horizon_h)
    tasks = {task.task_id: task for task in _tasks(spec, saved, seed, size.tasks)}
    gains = np.zeros((futures, len(groups)))
    for number, group in enumerate(groups):
        done: dict[str, Change] = {}
        for task in (tasks[task_id] for task_id in group):
            done.setdefault(task.vehicle.vehicle_id, task.change)
        gains[:, number] = [
            _fleet_gain(saved, done, size, future) for future in range(1, futures + 1)
        ]
    return gains.mean(axis=0), gains.std(axis=0, ddof=1) / math.sqrt(futures)


def _fleet_gain(saved: SavedCity, done: Mapping[str, Change], size: Size, future: int) -> float:
    """The fleet's revenue with these changes less that without, per change; crews pass them by."""
    with_, without = (
        saved.revenue(changes, with_crews=size.crews, future=future, left_alone=list(done)).fleet
        for changes in (done, {})
    )
    return (with_ - without) / len(done)


def _write_records(spec: CitySpec, seed: int, records: Path) -> None:
    """Every table but telemetry, which is large and which no estimator reads."""
    tables: dict[str, list[pa.Table]] = {k: [v] for k, v in dimensions(spec, seed).items()}
    for batch in generate(spec, seed):
        for name, table in batch.tables.items():
            if name != "telemetry":
                tables.setdefault(name, []).append(table)
    for name, parts in tables.items():
        pq.write_table(pa.concat_tables(parts), records / f"{name}.parquet")


def _tasks(spec: CitySpec, saved: SavedCity, seed: int, most: int) -> list[_Task]:
    """For each standing vehicle a swap where it stands, and a charge with a ride to a parking;
    where there are more than `most`, that many of them by lot.

    Vehicles that wait for a mechanic are left out, and those somebody works on.
    """
    layout, draw = build_layout(spec), np.random.default_rng([seed, 1])
    tasks = []
    for vehicle in saved.vehicles():
        if vehicle.state in {"available", "non_operational"} and saved.is_free(vehicle.vehicle_id):
            place = _somewhere(layout, draw)
            for kind, change in (("swap", Change(100.0)), ("move", Change(100.0, place))):
                tasks.append(_Task(f"{vehicle.vehicle_id}-{kind}", vehicle, change))
    kept = np.sort(draw.permutation(len(tasks))[:most])
    return [tasks[number] for number in kept.tolist()]


def _somewhere(layout: Layout, draw: np.random.Generator) -> Point:
    """A place where a crew might put a vehicle: parkings by how many vehicles they should have."""
    parking = int(draw.choice(layout.target.size, p=layout.target / layout.target.sum()))
    off_x, off_y = DROP_SPREAD_M * draw.standard_normal(2)
    x, y = layout.parking_x[[parking]] + off_x, layout.parking_y[[parking]] + off_y
    lat, lon = to_degrees(x, y)
    return Point(float(lat[0]), float(lon[0]))


def _as_seen(tasks: Sequence[_Task]) -> pa.Table:
    """The tasks with cells by GPS and the charge as a gauge shows it."""
    goal = [task.change.to or task.vehicle.seen_at for task in tasks]
    return pa.table(
        {
            "task_id": [task.task_id for task in tasks],
            "vehicle_id": [task.vehicle.vehicle_id for task in tasks],
            "operational": [task.vehicle.state == "available" for task in tasks],
            "cell_before": [task.vehicle.seen_at.cell(7) for task in tasks],
            "battery_before_pct": [round(task.vehicle.battery_pct, 1) for task in tasks],
            "cell_after": [point.cell(7) for point in goal],
            "battery_after_pct": [task.change.battery_pct for task in tasks],
        }
    )


def _futures(
    saved: SavedCity, tasks: Sequence[_Task], size: Size, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each task's vehicle's revenue with that task alone and without any, futures x tasks; and,
    by future, what the whole fleet earns more per task when a batch of them is done.

    Crews (unless the size has none) go on serving the other vehicles, but not those in question:
    their next service is the very thing that is decided. Every future has a new batch, in which no
    vehicle has two tasks.
    """
    draw, own, fleet = np.random.default_rng([seed, 2]), [], []
    done = [(task.vehicle.vehicle_id, task.change) for task in tasks]
    undone = [(vehicle_id, Change()) for vehicle_id, _ in done]
    for future in range(1, size.futures + 1):
        own.append(saved.own_revenue([*done, *undone], with_crews=size.crews, future=future))
        chosen: dict[str, Change] = {}
        for number in draw.permutation(len(done)).tolist():
            chosen.setdefault(*done[number])
            if len(chosen) == size.batch:
                break
        fleet.append(_fleet_gain(saved, chosen, size, future))
    both = np.array(own)
    return both[:, : len(done)], both[:, len(done) :], np.array(fleet)
