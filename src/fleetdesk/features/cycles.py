"""The operating-cycle ledger: what each vehicle earned from one service to the next.

One row is one unbroken stretch in which a vehicle could be rented, with the waiting and the task
that followed it. Where the view was lost (comms_lost, off_hours, ...) the row is censored and the
next row goes on with the age it had: `entry_age_h` is its delayed entry in survival analysis.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import ibis

from fleetdesk.features.calendar import hours_between, moment
from fleetdesk.features.inferred import is_inferred
from fleetdesk.features.phases import RENEWING, end_cause, has, has_any, is_observed, phase
from fleetdesk.model.mds import DROP_OFFS, PICK_UPS, EndCause, EventType, Phase

SWAP_JUMP_PCT = 15.0  # more than any gauge's noise, less than any swap worth a visit


def cycles(timeline: Any, trips: Any, data_end: datetime) -> Any:
    """The ledger, one row per cycle, from a `timeline` and priced TRIPS up to its `data_end`.

    Columns: vehicle_id, cycle_no, started_at, ended_at, end_cause, event_observed, start_cause,
    start_observed, start_declared, end_declared, entry_age_h, operational_h, pending_h, task_h,
    paused_h, trips, revenue, net_revenue, entry_battery_pct, exit_battery_pct, battery_used_pct,
    entry_cell, exit_cell. A start or end is not declared where only other records show it: a
    battery that rose, a drop-off without a pick-up, a public feed.
    A drop-off without a reason inherits it from its pick-up. Trips count where they start.
    """
    ledger = _ages(_ends(_starts(_summed(timeline)), data_end))
    return _with_trips(ledger, trips, data_end).select(*_COLUMNS)


def spans(timeline: Any, data_end: datetime) -> Any:
    """The cycles of a `timeline` by vehicle_id and cycle_no, only with when and how each ended.

    Columns beside the key: started_at, ended_at, event_observed, as in the ledger.
    """
    ended = _ends(_summed(timeline), data_end)
    ended = ended.filter(ended.cycle_no > 0)
    return ended.select("vehicle_id", "cycle_no", "started_at", "ended_at", "event_observed")


def within(spans: Any, trips: Any, data_end: datetime) -> Any:
    """The trips that started in each span and ended by the end of the data.

    Columns: vehicle_id, cycle_no, trip_id, started_at, revenue, net_revenue.
    """
    done = trips.filter(trips.ended_at <= moment(data_end))
    done = done.select("trip_id", "started_at", "revenue", "net_revenue", rider_of=done.vehicle_id)
    spans = spans.select("vehicle_id", "cycle_no", "ended_at", from_at=spans.started_at)
    joined = spans.join(
        done,
        [
            spans.vehicle_id == done.rider_of,
            done.started_at >= spans.from_at,
            done.started_at < spans.ended_at,
        ],
    )
    return joined.select(
        "vehicle_id", "cycle_no", "trip_id", "started_at", "revenue", "net_revenue"
    )


_COLUMNS = (
    "vehicle_id", "cycle_no", "started_at", "ended_at", "end_cause", "event_observed",
    "start_cause", "start_observed", "start_declared", "end_declared", "entry_age_h",
    "operational_h", "pending_h", "task_h", "paused_h", "trips", "revenue", "net_revenue",
    "entry_battery_pct", "exit_battery_pct", "battery_used_pct", "entry_cell", "exit_cell",
)  # fmt: skip


def timeline(events: Any, data_end: datetime, *, swap_jump_pct: float = SWAP_JUMP_PCT) -> Any:
    """EVENTS before `data_end` (UTC-aware) in order, with phase, next event and cycle number.

    A battery that rises by `swap_jump_pct` or more between two events of a rentable vehicle is a
    swap on the spot: it ends one cycle and starts the next.
    Adds phase, next_at, previous_phase, known_battery_pct and previous_battery_pct (the last known
    charge at and before the event), is_start, is_end, start_kind ("drop-off", "charge", "swap",
    "maintenance" or "resumed"), cycle_no, and is_exit (of a cycle's events the one that ends it or
    the last that is rentable); cycle 0 is what came before a vehicle was first rentable.
    """
    events = events.filter(events.event_at < moment(data_end))
    renewed = has_any(events.event_types, RENEWING)
    events = events.mutate(
        phase=phase(events.vehicle_state, events.event_types),
        # A service that tells no charge counts, too: the one from before is over.
        tells=(events.battery_pct.notnull() | renewed).ifelse(1, 0),
    )
    in_order = ibis.window(group_by="vehicle_id", order_by=["event_at", "event_id"])
    # All that one sorting can tell at once: histories are long.
    events = events.mutate(
        place=ibis.row_number().over(in_order),
        next_at=events.event_at.lead().over(in_order).coalesce(moment(data_end)),
        previous_phase=events.phase.lag().over(in_order),
        previous_battery_pct=events.battery_pct.lag().over(in_order),
        told_before=events.tells.sum().over(_up_to_here("event_at", "event_id")) - events.tells,
        # A charge that the next event does not tell anew is known beyond it.
        is_kept=(events.tells == 1) & (events.tells.lead().over(in_order) == 0),
    )
    events = _with_known_battery(events)
    jump = (events.battery_pct - events.previous_battery_pct >= swap_jump_pct).fill_null(False)
    events = events.mutate(
        start_kind=ibis.cases(
            (has(events.event_types, EventType.BATTERY_CHARGED), "charge"),
            (has_any(events.event_types, DROP_OFFS), "drop-off"),
            ((events.previous_phase != Phase.TASK.value).fill_null(False) & jump, "swap"),
            (has(events.event_types, EventType.MAINTENANCE), "maintenance"),
            else_="resumed",
        )
    )
    was_operational = (events.previous_phase == Phase.OPERATIONAL.value).fill_null(False)
    served = events.start_kind.isin(["charge", "drop-off", "swap"])
    events = events.mutate(
        is_start=(events.phase == Phase.OPERATIONAL.value) & (~was_operational | served),
        is_end=(events.phase != Phase.OPERATIONAL.value) & was_operational,
    )
    by_place = ibis.window(group_by="vehicle_id", order_by="place")
    cycle_ends = events.is_start.lead().over(by_place).fill_null(True)
    events = events.mutate(
        cycle_no=events.is_start.ifelse(1, 0).sum().over(_up_to_here("place")),
        is_exit=events.is_end | (events.phase == Phase.OPERATIONAL.value) & cycle_ends,
    )
    return events.drop("place")


def _up_to_here(*order: str) -> Any:
    return ibis.cumulative_window(group_by="vehicle_id", order_by=list(order))


def _with_known_battery(events: Any) -> Any:
    """The last known charge at and before each event; engines differ on skipping nulls.

    The event before told it, or else it is the last that was told, looked up by its number.
    """
    columns = events.drop("tells", "told_before", "is_kept").columns
    kept = events.filter(events.is_kept).select(
        "vehicle_id", told_before=events.told_before + 1, kept_battery_pct=events.battery_pct
    )
    events = events.left_join(kept, ["vehicle_id", "told_before"])
    previous = events.previous_battery_pct.coalesce(events.kept_battery_pct)
    known = (events.tells == 1).ifelse(events.battery_pct, previous)
    events = events.mutate(previous_battery_pct=previous, known_battery_pct=known)
    return events.select(*columns, "known_battery_pct")


def _summed(events: Any) -> Any:
    """One row per cycle number with what its own events say."""
    operational = events.phase == Phase.OPERATIONAL.value
    events = events.mutate(
        hours=hours_between(events.next_at, events.event_at),
        drop=(operational & ~events.is_start | events.is_end).ifelse(
            events.previous_battery_pct - events.battery_pct, 0.0
        ),
        is_pick_up=(events.phase == Phase.TASK.value)
        & (events.previous_phase != Phase.TASK.value).fill_null(True)
        & has_any(events.event_types, PICK_UPS),
    )
    cause = end_cause(events.vehicle_state, events.event_types)
    told_by = is_inferred(events.event_id).ifelse(1, 0)
    undeclared = (events.start_kind == "swap").ifelse(1, told_by)
    return events.group_by(["vehicle_id", "cycle_no"]).agg(
        started_at=events.event_at.min(where=events.is_start),
        stopped_at=events.event_at.min(where=events.is_end),
        stop_cause=cause.max(where=events.is_end),
        start_kind=events.start_kind.max(where=events.is_start),
        start_inferred=undeclared.max(where=events.is_start),
        stop_inferred=told_by.max(where=events.is_end),
        first_ever=events.previous_phase.isnull().ifelse(1, 0).max(where=events.is_start),
        entry_cell=events.cell.max(where=events.is_start),
        exit_cell=events.cell.max(where=events.is_exit),
        entry_battery_pct=events.battery_pct.max(where=events.is_start),
        exit_battery_pct=events.battery_pct.max(where=events.is_exit),
        battery_used_pct=events["drop"].sum(where=events["drop"] > 0),
        operational_h=_hours_in(events, Phase.OPERATIONAL),
        pending_h=_hours_in(events, Phase.PENDING),
        task_h=_hours_in(events, Phase.TASK),
        paused_h=_hours_in(events, Phase.CENSORED),
        had_task=(events.phase == Phase.TASK.value).ifelse(1, 0).max(),
        pick_up=events.event_types.max(where=events.is_pick_up),
    )


def _hours_in(events: Any, wanted: Phase) -> Any:
    return events.hours.sum(where=events.phase == wanted.value).coalesce(0.0)


def _starts(ledger: Any) -> Any:
    """Why each cycle started, and whether it was a service or only the view coming back."""
    in_order = ibis.window(group_by="vehicle_id", order_by="cycle_no")
    ledger = ledger.mutate(
        before_no=ledger.cycle_no.lag().over(in_order),
        before_cause=ledger.stop_cause.lag().over(in_order),
        before_task=ledger.had_task.lag().over(in_order),
        before_pick_up=ledger.pick_up.lag().over(in_order),
    )
    served = ledger.start_kind != "resumed"
    came_back = (ledger.before_task == 1).fill_null(False) | is_observed(
        ledger.before_cause
    ).fill_null(False)
    inherits = (ledger.start_kind == "drop-off") | (ledger.start_kind == "resumed") & (
        ledger.before_task == 1
    ).fill_null(False)
    reasons = (
        (EventType.REBALANCE_PICK_UP, "rebalance"),
        (EventType.MAINTENANCE_PICK_UP, "maintenance"),
        (EventType.COMPLIANCE_PICK_UP, "compliance"),
        (EventType.AGENCY_PICK_UP, "agency"),
    )
    picked_up = ledger.before_pick_up.fill_null("")
    return ledger.mutate(
        is_fresh=served | came_back,
        start_declared=ledger.start_inferred == 0,
        start_cause=ibis.cases(
            *((inherits & has(picked_up, event), reason) for event, reason in reasons),
            ((ledger.start_kind == "resumed") & (ledger.first_ever == 1), "first seen"),
            else_=ledger.start_kind,
        ),
    )


def _ends(ledger: Any, data_end: datetime) -> Any:
    """When and why each cycle ended: by its own event, by a service on the spot, or not yet."""
    in_order = ibis.window(group_by="vehicle_id", order_by="cycle_no")
    ledger = ledger.mutate(
        after_at=ledger.started_at.lead().over(in_order),
        after_kind=ledger.start_kind.lead().over(in_order),
        after_inferred=ledger.start_inferred.lead().over(in_order),
    )
    # A drop-off of a vehicle that was never seen to leave: its pick-up was not reported.
    next_served = ledger.after_kind.isin(["charge", "swap"])
    cause = ibis.cases(
        (ledger.stop_cause.notnull(), ledger.stop_cause),
        (ledger.after_at.isnull(), EndCause.END_OF_DATA.value),
        (next_served, EndCause.SWAPPED.value),
        else_=EndCause.COLLECTED.value,
    )
    ledger = ledger.mutate(
        end_cause=cause,
        ended_at=ledger.stopped_at.coalesce(ledger.after_at, moment(data_end)),
        end_declared=ibis.cases(
            (ledger.stop_cause.notnull(), ledger.stop_inferred == 0),
            (ledger.after_at.isnull(), True),
            (next_served, ledger.after_inferred == 0),
            else_=False,
        ),
    )
    return ledger.mutate(event_observed=is_observed(ledger.end_cause))


def _ages(ledger: Any) -> Any:
    """Operational hours since the last service that a row starts with."""
    so_far = ibis.cumulative_window(group_by="vehicle_id", order_by="cycle_no")
    ledger = ledger.mutate(life=ledger.is_fresh.fill_null(False).ifelse(1, 0).sum().over(so_far))
    in_life = ibis.cumulative_window(group_by=["vehicle_id", "life"], order_by="cycle_no")
    real = ledger.filter(ledger.cycle_no > 0)
    return real.mutate(
        start_observed=real.life > 0,
        entry_age_h=real.operational_h.sum().over(in_life) - real.operational_h,
        battery_used_pct=real.battery_used_pct.coalesce(0.0),
    )


def _with_trips(ledger: Any, trips: Any, data_end: datetime) -> Any:
    """Count and add up the trips that started in each cycle and ended by the end of the data."""
    ridden = within(ledger, trips, data_end)
    sums = ridden.group_by(["vehicle_id", "cycle_no"]).agg(
        trips=ridden.trip_id.count(),
        revenue=ridden.revenue.sum(),
        net_revenue=ridden.net_revenue.sum(),
    )
    ledger = ledger.left_join(sums, ["vehicle_id", "cycle_no"])
    return ledger.mutate(
        trips=ledger.trips.coalesce(0),
        revenue=ledger.revenue.coalesce(0.0),
        net_revenue=ledger.net_revenue.coalesce(0.0),
    )
