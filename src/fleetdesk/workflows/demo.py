"""`fleetdesk demo`: a sample city in a workspace of its own, planned like any other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fleetdesk.errors import FleetDeskError
from fleetdesk.model.places import Point
from fleetdesk.model.quality import QualityReport
from fleetdesk.settings.schema import Package, ParkingRow, Settings, Worker
from fleetdesk.settings.starter import starter_settings
from fleetdesk.simulation.city import CitySpec, demo_city
from fleetdesk.simulation.generate import dimensions, generate
from fleetdesk.workflows.context import WORKBOOK_NAME, Clock, store_of, utc_now
from fleetdesk.workflows.progress import OnProgress, part, silent
from fleetdesk.workflows.run import RunResult, run_workbook
from fleetdesk.workflows.workspace import claim, last_import, make_workbook, parking_row


def run_demo(
    folder: Path,
    seed: int = 1,
    vehicles: int = 400,
    days: int = 30,
    *,
    clock: Clock = utc_now,
    on_progress: OnProgress = silent,
) -> RunResult:
    """Make the sample city in `folder` and plan its day; a city that is there is planned again.

    What the planner changed in its workbook since is kept.
    """
    claim(folder)
    spec = demo_city(vehicles=vehicles, days=days)
    path = folder / WORKBOOK_NAME
    source = f"simulated city, {vehicles} vehicles, {days} days, seed {seed}"
    _fill_store(folder, source, spec, seed, clock, part(on_progress, 0.0, 0.5))
    if not path.exists():
        make_workbook(path, city_settings(spec, seed))
    return run_workbook(path, clock=clock, on_progress=part(on_progress, 0.5, 1.0))


def city_settings(spec: CitySpec, seed: int) -> Settings:
    """A workbook's settings for a simulated city: its parkings, prices and packages."""
    tables = dimensions(spec, seed)
    rows = [parking_row(row) for row in tables["parkings"].to_pylist()]
    starter = starter_settings(
        spec.name, spec.timezone, spec.currency, centre=_centre(rows), parkings=rows
    )
    packages = tuple(_priced(package, spec) for package in starter.packages)
    return starter.model_copy(
        update={"packages": packages, "workers": _crew(starter.workers, rows)}
    )


def _fill_store(
    folder: Path, source: str, spec: CitySpec, seed: int, clock: Clock, on_progress: OnProgress
) -> None:
    with store_of(folder, create=True, clock=clock) as store:
        there = last_import(store)
        if there is not None and there.source != source:
            raise FleetDeskError(
                f"{folder} already holds other records",
                found=there.source,
                fix="Choose another folder with --out",
            )
        if there is not None:
            return
        step = "Simulating the city"
        on_progress(step, 0.0)
        rows = 0
        with store.new_generation(source) as generation:
            for name, table in dimensions(spec, seed).items():
                generation.append(name, table)
                rows += table.num_rows
            for day in generate(spec, seed, lambda done, days: on_progress(step, done / days)):
                for name, table in day.tables.items():
                    generation.append(name, table)
                    rows += table.num_rows
            generation.describe(QualityReport(source, rows, rows))


def _crew(workers: Sequence[Worker], rows: list[ParkingRow]) -> tuple[Worker, ...]:
    """The starter's workers on one morning shift, each from a depot at another end of town."""
    along = sorted(rows, key=lambda row: row.lat - row.lon)
    quarter = len(along) // 4
    depots = along[-quarter - 1], along[quarter]
    return tuple(
        worker.model_copy(
            update={
                "start_lat": depot.lat,
                "start_lon": depot.lon,
                "shift_start": workers[0].shift_start,
                "shift_end": workers[0].shift_end,
            }
        )
        for worker, depot in zip(workers, depots, strict=True)
    )


def _priced(package: Package, spec: CitySpec) -> Package:
    prices = {entry.name: entry.monthly_price for entry in spec.packages}
    price = prices.get(package.name, package.monthly_price)
    return package.model_copy(update={"monthly_price": price, "floor_price": round(0.8 * price, 2)})


def _centre(rows: list[ParkingRow]) -> Point:
    return Point(
        round(sum(row.lat for row in rows) / len(rows), 5),
        round(sum(row.lon for row in rows) / len(rows), 5),
    )
