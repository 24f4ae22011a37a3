"""The sheets Battery and Availability: how the fleet stands now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from fleetdesk.fleet.availability import FORMULA, Availability, availability
from fleetdesk.model.charts import Chart, ChartKind, Series
from fleetdesk.model.fleet import VehicleNow
from fleetdesk.outputs.palette import palette
from fleetdesk.outputs.wording import sentence
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import CellStyle, ResultColumn, ResultSheet, Value

_BAND = "Charge (%)"
_GRADES = ("Too low to rent", "Low", "Enough")
_STEP_PCT = 10


def battery_sheet(fleet: Sequence[VehicleNow], settings: Settings) -> ResultSheet:
    """Vehicles by charge in bands of 10 %, told apart by the sheet's two thresholds.

    A band that a threshold cuts has vehicles in two columns. A charge on a band's edge counts
    above it, 100 % in the last one; unknown charges are only named in the note.
    """
    usable, low = settings.thresholds.usable_battery_pct, settings.thresholds.low_battery_pct
    known = [vehicle.battery_pct for vehicle in fleet if vehicle.battery_pct is not None]
    found = Counter((_band(charge), _grade(charge, usable, low)) for charge in known)
    rows: list[tuple[Value, ...]] = []
    for band in range(100 // _STEP_PCT):
        counts = [found[band, grade] for grade in range(len(_GRADES))]
        name = f"{band * _STEP_PCT}–{(band + 1) * _STEP_PCT}"
        rows.append((name, *counts, sum(counts)))
    below = sum(charge < low for charge in known)
    unknown = len(fleet) - len(known)
    more = f" {unknown} more have no known charge." if unknown else ""
    colours = palette().battery
    labels = (
        f"{_GRADES[0]} (below {usable:g} %)",
        f"{_GRADES[1]} (below {low:g} %)",
        f"{_GRADES[2]} ({low:g} % and more)",
    )
    return ResultSheet(
        sheet="Battery",
        title=f"Batteries now: {settings.city.name}",
        note="Vehicles by their last known charge; an edge belongs to the band above it.",
        table_name="BatteryBands",
        columns=(
            ResultColumn(_BAND, CellStyle.TEXT, 12),
            *(ResultColumn(grade, CellStyle.INTEGER, 11) for grade in _GRADES),
            ResultColumn("Vehicles", CellStyle.INTEGER, 10),
        ),
        rows=rows,
        key=_BAND,
        charts=(
            Chart(
                ChartKind.STACKED,
                title="How full the batteries are now",
                x_title=_BAND,
                y_title="Vehicles",
                unit="",
                categories=_BAND,
                series=tuple(
                    Series(grade, colour, label)
                    for grade, colour, label in zip(_GRADES, colours[1:], labels, strict=True)
                ),
                note=f"{below} of {len(known)} vehicles are below {low:g} %.{more}",
            ),
        ),
    )


def availability_sheet(fleet: Sequence[VehicleNow], settings: Settings) -> ResultSheet:
    """Why vehicles cannot be rented now: one row per cause, each vehicle counted once.

    Shares are of the whole fleet, so that with the available ones they add up to 100 %.
    """
    usable = settings.thresholds.usable_battery_pct
    found = Counter(availability(vehicle, usable) for vehicle in fleet)
    size = len(fleet)
    causes = [cause for cause in Availability if cause is not Availability.AVAILABLE]
    causes.sort(key=lambda cause: -found[cause])
    available = found[Availability.AVAILABLE]
    share = f" ({100 * available / size:.0f} %)" if size else ""
    summary = f"{available} of {size} vehicles{share} can be rented now."
    return ResultSheet(
        sheet="Availability",
        title=f"Availability now: {settings.city.name}",
        note=f"{summary} The others by cause, most frequent first.",
        table_name="Availability",
        columns=(
            ResultColumn("Cause", CellStyle.TEXT, 18),
            ResultColumn("Vehicles", CellStyle.INTEGER, 10),
            ResultColumn("Share of fleet (%)", CellStyle.PERCENT, 12),
            ResultColumn("Counted", CellStyle.TEXT, 46),
        ),
        rows=[
            (
                _titled(cause),
                found[cause],
                100 * found[cause] / size if size else None,
                sentence(FORMULA[cause]),
            )
            for cause in causes
        ],
        key="Cause",
        charts=(
            Chart(
                ChartKind.BAR,
                title="Why vehicles cannot be rented now",
                x_title="Cause",
                y_title="Vehicles",
                unit="",
                categories="Cause",
                series=(Series("Vehicles", palette().alert),),
                note=summary,
            ),
        ),
    )


def _band(charge: float) -> int:
    return min(max(int(charge // _STEP_PCT), 0), 100 // _STEP_PCT - 1)


def _grade(charge: float, usable: float, low: float) -> int:
    return 0 if charge < usable else 1 if charge < low else 2


def _titled(cause: Availability) -> str:
    return cause.value[0].upper() + cause.value[1:]
