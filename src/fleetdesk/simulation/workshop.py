"""What the workshop measures of batteries, month by month; riders do not feel it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from fleetdesk.simulation.city import CitySpec
from fleetdesk.simulation.engine import HOUR, City
from fleetdesk.simulation.records import arrow_table, moments, names, vehicle_ids
from fleetdesk.simulation.riders import MONTH
from fleetdesk.simulation.streams import Floats, Purpose, normals, stream

BATTERIES_PER_VEHICLE = 1.3
_MOST_CHECKS = 12
_LOST_IN_ALL_PCT = 21.0  # whose loss is larger was taken out of service
_ERROR_PCT = 0.5
_CYCLES_PER_MONTH = 17.0


def monthly_losses(spec: CitySpec, seed: int) -> Floats:
    """The health that each battery loses a month, in percent of new; one in 25 is a bad one."""
    count = round(BATTERIES_PER_VEHICLE * spec.vehicles)
    u = stream(seed, Purpose.BATTERIES).random((count, 3))
    scatter, _ = normals(u[:, 0], u[:, 1])
    return np.asarray(0.6 * np.exp(0.3 * scatter) * np.where(u[:, 2] < 0.04, 3.0, 1.0))


def battery_checks_table(city: City) -> pa.Table:
    """Each battery is measured once a month, in or out of its vehicle; the last year is kept."""
    losses = monthly_losses(city.spec, city.seed)
    u = stream(city.seed, Purpose.BATTERIES, 1).random((losses.size, 2 + 2 * _MOST_CHECKS))
    age = np.minimum(2.0 + 28.0 * u[:, 0], _LOST_IN_ALL_PCT / losses)
    error, _ = normals(u[:, 2 : 2 + _MOST_CHECKS], u[:, 2 + _MOST_CHECKS :])
    # Months before the end; a quarter of the batteries is looked at each week.
    ago = np.floor(4 * u[:, 1:2]) * 7 / 30 + np.arange(_MOST_CHECKS - 1, -1, -1)
    then = age[:, None] - ago
    battery, check = np.nonzero(then > 0)
    months = then[battery, check]
    health = 100.0 - losses[battery] * months + _ERROR_PCT * error[battery, check]
    vehicles = vehicle_ids(city)
    places = [*vehicles, *[None] * (losses.size - len(vehicles))]
    return arrow_table(
        "battery_checks",
        {
            "battery_id": names("k", 5, (battery + 1).tolist()),
            "checked_at": moments(city, city.spec.length_s - HOUR - ago[battery, check] * MONTH),
            "health_pct": np.minimum(health, 100.0).round(1),
            "cycles": (_CYCLES_PER_MONTH * months).round(),
            "vehicle_id": [places[number] for number in battery.tolist()],
        },
    )
