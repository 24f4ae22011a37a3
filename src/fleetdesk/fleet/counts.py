"""What a history says, counted once: free hours, trips, flows and ends, by block of cycles.

The tables do the heavy part; what comes back is small. Whole cycles are dealt out to blocks, so
that a bootstrap that draws blocks with replacement draws whole cycles.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import ibis
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from fleetdesk.features.calendar import moment
from fleetdesk.features.cell_expressions import coarser
from fleetdesk.features.exposure import exposure
from fleetdesk.features.flows import flows
from fleetdesk.features.phases import has
from fleetdesk.features.rider_swaps import swapped_after
from fleetdesk.features.stock import stock
from fleetdesk.fleet.history import History
from fleetdesk.fleet.rivals import Stock, gathered, near
from fleetdesk.model.mds import EventType, Phase, VehicleState
from fleetdesk.settings.schema import Settings

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SLOTS = 48  # the local hours of a workday, then those of a day of the weekend
DAYPARTS = 4
BLOCKS = 40
CLASS_PCT = 5.0  # how finely the charge is counted
CLASSES = 21  # the last is exactly full
UNKNOWN = -1
FINE_PRECISION = 7
WHOLE_PCT = 101


@dataclass(frozen=True)
class Counts:
    """Sums by block (K = BLOCKS), cell (G), place (F) and slot (48 = weekpart x local hour).

    `cells` are those of the sheet's size, with "" at the end for all that nobody was seen in;
    `places` are the finer ones that rates may differ between, each in the cell `parent`. `free_h`,
    `trips` (K, G, 48). `free_by_charge_h` (G, 48, 21) and `trips_by_charge` (G, 21) are by class of
    5 %, of what has a known charge. `stays` (4, N) lists block, place, slot and class of
    `stay_h` (N,); `place_trips` and `place_ends` (K, F) are trips that start and end there. `flow`
    (5, M) lists block, origin, goal, daypart and trips. `revenue`, `used_pct`, `started` and
    `measured` (K, G) are sums over the trips of an origin. `ends`, `operational_h` (K,): ends that
    nobody chose, and the hours at risk. `stock` tells how many free vehicles stood together and how
    many of them were taken; `near` (G, G) is 1 where two cells touch. `uses` (101,) counts trips by
    the whole percent they used. `trips_ended` and `rider_swaps` (G, 21) are by cell and class of
    the charge at a trip's end: all, and those that a swap by a rider followed. `standing` (G,) are
    the free vehicles when the history ends. `use_apart` is the squared coefficient of variation
    between vehicles of what a trip uses.
    """

    cells: tuple[str, ...]
    places: tuple[str, ...]
    parent: Ints
    free_h: Floats
    trips: Floats
    free_by_charge_h: Floats
    trips_by_charge: Floats
    stays: Ints
    stay_h: Floats
    place_trips: Floats
    place_ends: Floats
    flow: Ints
    revenue: Floats
    started: Floats
    used_pct: Floats
    measured: Floats
    ends: Floats
    operational_h: Floats
    stock: Stock
    near: Floats
    uses: Floats
    trips_ended: Floats
    rider_swaps: Floats
    standing: Floats
    busy_h: float
    use_apart: float
    standing_pct_per_h: float


def daypart(local_hour: Any) -> Ints:
    """0 night (22-6), 1 morning (6-10), 2 midday (10-16), 3 evening (16-22), element by element."""
    return np.searchsorted([6, 10, 16, 22], np.asarray(local_hour) % 22, side="right")


def count(history: History, settings: Settings) -> Counts:
    """Count the window of the sheet before `history.as_of`."""
    precision = settings.city.cell_precision
    fine = max(FINE_PRECISION, precision)
    timeline, hours = history.timeline, history.hours(settings)
    blocks = _block_numbers(timeline)
    free = exposure(timeline, hours).cache()
    stood = _keyed(free, blocks, fine, "cell")
    rode = flows(history.known_trips(settings), timeline, hours)
    rode = _keyed(rode, blocks, fine, "start_cell", "end_cell").cache()
    net = settings.costs.use_net_revenue
    offered = _rows(stock(free, precision))
    now = _rows(_standing(timeline, history.as_of, precision))
    ended = _ended(rode, history.known_rider_swaps())
    return _gathered(stood, rode, offered, now, _ends(timeline, blocks), ended, precision, net=net)


def _block_numbers(timeline: Any) -> Any:
    """A number per vehicle; with the cycle's number it deals the cycles out evenly."""
    vehicles = timeline.select("vehicle_id").distinct()
    order = ibis.window(order_by="vehicle_id")
    return vehicles.mutate(number=ibis.row_number().over(order))


def _keyed(rows: Any, numbers: Any, precision: int, *cells: str) -> Any:
    rows = rows.inner_join(numbers, "vehicle_id")
    return rows.mutate(
        block=(rows.number * 7 + rows.cycle_no) % BLOCKS,
        slot=rows.is_weekend.ifelse(24, 0) + rows.local_hour,
        bin=(rows.battery_pct / CLASS_PCT).floor().cast("int64").coalesce(UNKNOWN),
        **{cell: coarser(rows[cell], precision) for cell in cells},
    )


def _gathered(
    stood: Any,
    rode: Any,
    offered: dict[str, Any],
    now: dict[str, Any],
    ends: tuple[Floats, Floats, float],
    ended: tuple[dict[str, Any], ...],
    precision: int,
    *,
    net: bool,
) -> Counts:
    free = _rows(stood.group_by("block", "cell", "slot", "bin").agg(free_h=stood.available_h.sum()))
    earned = rode.net_revenue if net else rode.revenue
    went = _rows(
        rode.group_by("block", "start_cell", "end_cell", "slot", "bin").agg(
            trips=rode.count(),
            revenue=earned.sum(),
            used=rode.used_pct.sum().coalesce(0.0),
            measured=rode.used_pct.count(),
            ridden_h=rode.ridden_h.sum(),
        )
    )
    places = sorted({*free["cell"], *went["start_cell"], *went["end_cell"]})
    cells = [*sorted({*(place[:precision] for place in places), *now["cell"]}), ""]
    parent = _numbered([place[:precision] for place in places], cells)
    at, frm, to = (_numbered(column, places) for column in
                   (free["cell"], went["start_cell"], went["end_cell"]))  # fmt: skip
    k, g, f = BLOCKS, len(cells), len(places)
    known, said = free["bin"] != UNKNOWN, went["bin"] != UNKNOWN
    stood_in, rode_in = (np.clip(rows["bin"], UNKNOWN, CLASSES - 1) for rows in (free, went))
    origin = (went["block"], parent[frm])
    flow = np.stack(
        [went["block"], parent[frm], parent[to], daypart(went["slot"] % 24), went["trips"]]
    )
    unchosen, operational, standing = ends
    trips_ended, swapped = (
        _summed((parent[_numbered(rows["end_cell"], places)], rows["left"]), rows["trips"],
                (g, CLASSES))
        for rows in ended
    )  # fmt: skip
    beside = near(cells)
    trips_n = float(went["trips"].sum())
    return Counts(
        cells=tuple(cells),
        places=tuple(places),
        parent=parent,
        free_h=_summed((free["block"], parent[at], free["slot"]), free["free_h"], (k, g, SLOTS)),
        trips=_summed((*origin, went["slot"]), went["trips"], (k, g, SLOTS)),
        free_by_charge_h=_summed(
            (parent[at][known], free["slot"][known], stood_in[known]),
            free["free_h"][known], (g, SLOTS, CLASSES),
        ),
        trips_by_charge=_summed(
            (parent[frm][said], rode_in[said]), went["trips"][said], (g, CLASSES)
        ),
        stays=np.stack([free["block"], at, free["slot"], stood_in]).astype(np.int64),
        stay_h=np.round(free["free_h"], 6),
        place_trips=_summed((went["block"], frm), went["trips"], (k, f)),
        place_ends=_summed((went["block"], to), went["trips"], (k, f)),
        flow=flow.astype(np.int64),
        revenue=_summed(origin, went["revenue"], (k, g)),
        started=_summed(origin, went["trips"], (k, g)),
        used_pct=_summed(origin, went["used"], (k, g)),
        measured=_summed(origin, went["measured"], (k, g)),
        ends=unchosen,
        operational_h=operational,
        stock=gathered(offered, _numbered(offered["cell"], cells), beside),
        near=beside,
        uses=_uses(rode),
        trips_ended=trips_ended,
        rider_swaps=swapped,
        standing=_summed((_numbered(now["cell"], cells),), now["vehicles"], (g,)),
        busy_h=round(float(went["ridden_h"].sum()) / trips_n, 9) if trips_n else 0.0,
        use_apart=_use_apart(rode),
        standing_pct_per_h=standing,
    )  # fmt: skip


def _ends(timeline: Any, numbers: Any) -> tuple[Floats, Floats, float]:
    """Ends that nobody chose and hours at risk by block; charge lost per hour of standing.

    A fault that the next event answers with a charged battery is a crew's swap, thus chosen.
    """
    in_order = ibis.window(group_by="vehicle_id", order_by=["event_at", "event_id"])
    rows = timeline.mutate(
        answer=timeline.event_types.lead().over(in_order).fill_null(""),
        charge_next=timeline.battery_pct.lead().over(in_order),
        hours=(timeline.next_at.delta(timeline.event_at, unit="microsecond") / 3.6e9),
    )
    rows = rows.inner_join(numbers, "vehicle_id")
    fault = (rows.phase == Phase.PENDING.value) & has(rows.event_types, EventType.MAINTENANCE)
    lost = rows.vehicle_state == VehicleState.MISSING.value
    unchosen = rows.is_end & (fault | lost) & ~has(rows.answer, EventType.BATTERY_CHARGED)
    operational = rows.phase == Phase.OPERATIONAL.value
    loss = rows.battery_pct - rows.charge_next
    standing = (rows.vehicle_state == VehicleState.AVAILABLE.value) & (loss >= 0)
    rows = rows.mutate(
        block=(rows.number * 7 + rows.cycle_no) % BLOCKS,
        unchosen=unchosen.ifelse(1, 0),
        at_risk_h=operational.ifelse(rows.hours, 0.0),
        loss=standing.ifelse(loss, 0.0),
        stood_h=standing.ifelse(rows.hours, 0.0),
    )
    sums = _rows(
        rows.group_by("block").agg(
            ends=rows.unchosen.sum(),
            at_risk_h=rows.at_risk_h.sum(),
            loss=rows.loss.sum().coalesce(0.0),
            stood_h=rows.stood_h.sum().coalesce(0.0),
        )
    )
    block = (sums["block"],)
    stood_h = float(sums["stood_h"].sum())
    return (
        _summed(block, sums["ends"], (BLOCKS,)),
        _summed(block, sums["at_risk_h"], (BLOCKS,)),
        round(float(sums["loss"].sum()) / stood_h, 9) if stood_h else 0.0,
    )


def _standing(timeline: Any, as_of: datetime, precision: int) -> Any:
    """Free vehicles by cell; nothing has followed their last event."""
    free = timeline.filter(
        (timeline.vehicle_state == VehicleState.AVAILABLE.value)
        & (timeline.next_at == moment(as_of))
    )
    free = free.select(cell=coarser(free.cell, precision))
    return free.group_by("cell").agg(vehicles=free.count())


def _ended(rode: Any, swaps: Any | None) -> tuple[dict[str, Any], ...]:
    """Trips by goal and class of charge left: all with a known charge, and those after which a
    rider swapped."""
    known = rode.filter(rode.left_pct.notnull())
    kinds = (known, known.limit(0) if swaps is None else swapped_after(rode, swaps))
    found = []
    for trips in kinds:
        left = trips.mutate(
            left=(trips.left_pct / CLASS_PCT).floor().cast("int64").clip(0, CLASSES - 1)
        )
        found.append(_rows(left.group_by("end_cell", "left").agg(trips=left.count())))
    return tuple(found)


def _uses(rode: Any) -> Floats:
    used = rode.filter(rode.used_pct.notnull())
    # Engines round halves differently.
    used = used.mutate(whole=(used.used_pct + 0.5).floor().cast("int64"))
    rows = _rows(used.group_by("whole").agg(trips=used.count()))
    whole = np.clip(rows["whole"], 0, WHOLE_PCT - 1)
    return _summed((whole,), rows["trips"], (WHOLE_PCT,))


def _use_apart(rode: Any) -> float:
    """The variance between vehicles of a trip's mean use, over the square of the mean.

    Analysis of variance of groups of unlike size (Searle, Casella & McCulloch 1992).
    """
    used = rode.filter(rode.used_pct.notnull())
    rows = _rows(
        used.group_by("vehicle_id").agg(
            trips=used.count(), used=used.used_pct.sum(), squares=(used.used_pct**2).sum()
        )
    )
    n, sums = rows["trips"].astype(np.float64), rows["used"]
    total = n.sum()
    if n.size < 2 or total <= n.size or not sums.sum():
        return 0.0
    mean, each = sums.sum() / total, sums / n
    within = (rows["squares"].sum() - (n * each**2).sum()) / (total - n.size)
    between = (n * (each - mean) ** 2).sum() / (n.size - 1)
    size = (total - (n**2).sum() / total) / (n.size - 1)
    return round(float(max(0.0, between - within) / size / mean**2), 9)


def _rows(expression: Any) -> dict[str, Any]:
    """The columns as arrays, ordered here because engines sort text differently."""
    keys = [name for name, kind in expression.schema().items() if not kind.is_floating()]
    found: pa.Table = expression.to_pyarrow()
    found = found.sort_by([(name, "ascending") for name in keys])
    return {name: found[name].to_numpy() for name in found.column_names}


def _numbered(names: Iterable[str], known: Sequence[str]) -> Ints:
    number = {name: index for index, name in enumerate(known)}
    return np.array([number[name] for name in names], dtype=np.int64)


def _summed(at: tuple[Any, ...], values: Any, shape: tuple[int, ...]) -> Floats:
    """Sums of `values` at these indices; rounding takes away what the order of adding leaves."""
    flat = np.ravel_multi_index(tuple(np.asarray(i, dtype=np.int64) for i in at), shape)
    size = int(np.prod(shape))
    total = np.bincount(flat, weights=np.asarray(values, dtype=np.float64), minlength=size)
    return np.asarray(np.round(total, 6).reshape(shape), dtype=np.float64)
