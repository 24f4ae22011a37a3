"""Where riders want more vehicles than stand there, and where fewer: the map's layer of demand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from fleetdesk.fleet.history import History
from fleetdesk.model.fleet import CellDemand, VehicleNow
from fleetdesk.settings.schema import Settings

_DAY = timedelta(days=1)


def cell_demand(
    history: History, fleet: Sequence[VehicleNow], settings: Settings
) -> tuple[CellDemand, ...]:
    """Trips a day that start in each cell, less those that the vehicles standing there would make.

    Trips are those of the sheet's window of history. A vehicle that can be rented and has charge
    enough is taken to make as many trips as all such vehicles do on average, so that the whole
    comes to zero: it says where the fleet should stand, not how large it should be. Empty without
    trips or without such vehicles.
    """
    precision = settings.city.cell_precision
    trips = history.recent_trips(settings)
    trips = trips.filter(trips.start_cell.notnull())
    cells = trips.mutate(cell=trips.start_cell[:precision])
    starts = cells.group_by("cell").agg(n=cells.count(), first=cells.started_at.min()).to_pyarrow()
    here = Counter(v.cell[:precision] for v in fleet if _offered(v, settings))
    if not starts.num_rows or not here:
        return ()
    first = min(starts["first"].to_pylist())
    days = max((history.as_of.replace(tzinfo=None) - first) / _DAY, 1.0)
    taken = {row["cell"]: row["n"] / days for row in starts.to_pylist()}
    each = sum(taken.values()) / here.total()
    return tuple(
        CellDemand(cell, taken.get(cell, 0.0), here[cell], taken.get(cell, 0.0) - here[cell] * each)
        for cell in sorted(taken.keys() | here.keys())
    )


def _offered(vehicle: VehicleNow, settings: Settings) -> bool:
    charge = vehicle.battery_pct
    return vehicle.rentable and (charge is None or charge >= settings.thresholds.usable_battery_pct)
