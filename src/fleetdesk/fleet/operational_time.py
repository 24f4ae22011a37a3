"""How long vehicles operate between services, by where and when they were put out.

Cells with few cycles have the city's curve instead of their own: a curve of ten cycles says more
about chance than about the cell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from fleetdesk.fleet.counts import daypart
from fleetdesk.fleet.cycle_length import CycleLength, cycle_length
from fleetdesk.settings.schema import Settings

SUPPORT = 30
"""A cell or daypart with fewer ended cycles falls back to the wider curve."""
DAYPARTS = ("Night (22-6)", "Morning (6-10)", "Midday (10-16)", "Evening (16-22)")
ALL_DAY = "All day"
CITY = "City"
MARKS_H = (12.0, 24.0, 48.0)
PARIS_UNDER_12_PCT = 19.0
PARIS_OVER_48_PCT = 7.0
"""Shares of deployments in Paris, from Laufer and Tang (2019)."""


@dataclass(frozen=True, slots=True)
class OperationalTime:
    """The curve of cycles that began in a cell (or the city) and daypart (or all day).

    `ended` and `censored` count the group's own cycles; `at_risk` says how many of them were
    watched at each of `MARKS_H`. `curve` is the group's own, or that of `basis` where it is not.
    """

    where: str
    when: str
    ended: int
    censored: int
    at_risk: tuple[int, ...]
    curve: CycleLength
    basis: str

    @property
    def under_12_pct(self) -> float | None:
        """Share of cycles that end within 12 operational hours."""
        share = self.curve.share_beyond(12.0)
        return None if share is None else 100.0 * (1.0 - share)

    @property
    def over_48_pct(self) -> float | None:
        """Share of cycles that last beyond 48 operational hours."""
        share = self.curve.share_beyond(48.0)
        return None if share is None else 100.0 * share


def operational_time(ledger: pa.Table, settings: Settings) -> tuple[OperationalTime, ...]:
    """Kaplan-Meier with delayed entry over rows of features.cycles, the city's first.

    Only cycles whose start was seen count. Cells are those of the sheet's size, the one with the
    most cycles first; each has its whole day and the dayparts in which a cycle began.
    """
    rows = _columns(ledger, settings)
    everywhere = np.ones(len(rows["cell"]), dtype=bool)
    if not everywhere.size:
        return ()
    city = _group(CITY, ALL_DAY, rows, everywhere, None)
    by_part = {
        part: _group(CITY, DAYPARTS[part], rows, rows["part"] == part, city)
        for part in range(len(DAYPARTS))
        if (rows["part"] == part).any()
    }
    found = [city, *by_part.values()]
    names, counts = np.unique(rows["cell"][rows["cell"] != ""], return_counts=True)
    for index in np.lexsort((names, -counts)):
        here = rows["cell"] == names[index]
        found.append(_group(str(names[index]), ALL_DAY, rows, here, city))
        found += [
            _group(str(names[index]), DAYPARTS[part], rows, here & (rows["part"] == part), wider)
            for part, wider in by_part.items()
            if (here & (rows["part"] == part)).any()
        ]
    return tuple(found)


def _group(
    where: str, when: str, rows: Mapping[str, Any], chosen: Any, wider: OperationalTime | None
) -> OperationalTime:
    entry, hours = rows["entry_age_h"][chosen], rows["operational_h"][chosen]
    own = cycle_length(entry, hours, rows["event_observed"][chosen])
    last = entry + hours
    lean = wider is not None and own.ended < SUPPORT
    return OperationalTime(
        where=where,
        when=when,
        ended=own.ended,
        censored=own.censored,
        at_risk=tuple(int(((entry < mark) & (last >= mark)).sum()) for mark in MARKS_H),
        curve=wider.curve if lean and wider else own,
        basis=wider.basis if lean and wider else f"{where}, {when.lower()}",
    )


def _columns(ledger: pa.Table, settings: Settings) -> dict[str, Any]:
    zone = ZoneInfo(settings.city.timezone)
    known = ledger.filter(ledger["start_observed"])
    started = known["started_at"].to_pylist()
    hour = [at.replace(tzinfo=UTC).astimezone(zone).hour for at in started]
    cells = [cell or "" for cell in known["entry_cell"].to_pylist()]
    return {
        "cell": np.array([cell[: settings.city.cell_precision] for cell in cells], dtype=object),
        "part": daypart(np.array(hour, dtype=np.int64)),
        **{
            name: known[name].to_numpy(zero_copy_only=False)
            for name in ("entry_age_h", "operational_h", "event_observed")
        },
    }
