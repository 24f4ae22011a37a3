"""What a run shows beside the plan: thresholds tried on past days, the fleet by hour, work done."""

from __future__ import annotations

from dataclasses import dataclass

from fleetdesk.fleet.placement import HourState, hourly_state
from fleetdesk.fleet.sandbox import PastFleet
from fleetdesk.outputs.tables.planned_done import DoneRow
from fleetdesk.settings.schema import Settings
from fleetdesk.store.base import Store
from fleetdesk.workflows.done_against_planned import done_against_planned
from fleetdesk.workflows.moment import parkings
from fleetdesk.workflows.plan_day import DayPlan
from fleetdesk.workflows.sandbox import street


@dataclass(frozen=True)
class Insights:
    """The street on past days, the fleet's state by hour, and plans beside what was done."""

    street: PastFleet
    hours: tuple[HourState, ...]
    done: tuple[DoneRow, ...]


def insights(store: Store, settings: Settings, day: DayPlan) -> Insights:
    """Look back from the moment of the day's plan; nothing after it is used."""
    done = done_against_planned(store, day.history, day.past.tasks, settings) if day.past else ()
    return Insights(
        street(day.history, day.downstream, settings),
        hourly_state(day.history, parkings(settings), settings),
        done,
    )
