"""What a scooter will earn from where it stands: the estimator of the sheet, or what data allows.

Where the history does not carry the one that the sheet asks for, v0 runs and the notes say what
was missing. v0 itself leans on the city's rate as far as it must.
"""

from __future__ import annotations

from fleetdesk.fleet import method1, method2, method_v0
from fleetdesk.fleet.counts import Counts, count
from fleetdesk.fleet.estimator import DownstreamRevenue
from fleetdesk.fleet.fleet_level import by_cell
from fleetdesk.fleet.history import History
from fleetdesk.fleet.method_v0 import Form
from fleetdesk.settings.schema import Settings

TRIPS_NEEDED = 200  # below, hours, cells and destinations cannot be told apart
FREE_HOURS_NEEDED = 24.0 * 14


def estimate(history: History, settings: Settings) -> DownstreamRevenue:
    """Learn from the sheet's window before `history.as_of`; nothing after it is looked at.

    Raises NotEnoughData when no vehicle was operational at any full hour of the window.
    """
    wanted = settings.thresholds.estimator
    counts = count(history, settings)
    missing = "" if wanted.startswith("v0") else _missing(counts)
    if wanted == "Method 2" and not missing:
        return method2.estimate(counts, settings, history.as_of)
    new = by_cell(counts)
    if wanted == "Method 1" and not missing:
        return method1.estimate(history, settings, new)
    note = (f"{wanted} needs {missing}: v0 E[min] ran instead.",) if missing else ()
    form = Form.PAPER_MIN if wanted == "v0 min" else Form.EXPECTED_MIN
    return method_v0.estimate(history, settings, form, additional=new, notes=note)


def _missing(counts: Counts) -> str:
    """How much history is missing for rates by hour and place, in words; empty = enough."""
    trips, hours = counts.trips.sum(), counts.free_h.sum()
    lacking = []
    if trips < TRIPS_NEEDED:
        lacking.append(f"{TRIPS_NEEDED - trips:.0f} more trips")
    if hours < FREE_HOURS_NEEDED:
        lacking.append(f"{FREE_HOURS_NEEDED - hours:.0f} more hours of free vehicles")
    return " and ".join(lacking)
