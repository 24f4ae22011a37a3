"""From records to the day's plan: fleet, candidates, ROI, priority, selection, routes, figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from fleetdesk.errors import NotEnoughData, Problem
from fleetdesk.features.vehicles import vehicles_now
from fleetdesk.fleet.assumed_revenue import assumed
from fleetdesk.fleet.cycle_length import CycleLength
from fleetdesk.fleet.downstream_revenue import estimate
from fleetdesk.fleet.estimator import DownstreamRevenue
from fleetdesk.fleet.fleet_state import fleet_now
from fleetdesk.fleet.history import History
from fleetdesk.fleet.kpis import Kpi, key_figures
from fleetdesk.fleet.task_roi import task_rois
from fleetdesk.model.edits import Edits
from fleetdesk.model.findings import Finding
from fleetdesk.model.fleet import NoParking, VehicleNow
from fleetdesk.model.plan import LimitWorth, Plan
from fleetdesk.model.work import Priority, Task, TaskRoi, Van
from fleetdesk.outputs.tables import CellRate
from fleetdesk.routes.building import build
from fleetdesk.routes.edits import Replanned
from fleetdesk.routes.explain import marginal
from fleetdesk.routes.limits import worth_of_limits
from fleetdesk.routes.problem import RoutingProblem
from fleetdesk.routes.solve import Progress
from fleetdesk.routes.stop import Iterations
from fleetdesk.settings.schema import Settings
from fleetdesk.store.base import Store
from fleetdesk.tasks.candidates import candidates
from fleetdesk.tasks.facts import no_parking, vehicle_facts
from fleetdesk.tasks.hold_back import hold_back
from fleetdesk.tasks.pricing import Offer
from fleetdesk.tasks.priority import prioritise
from fleetdesk.tasks.select import select
from fleetdesk.tasks.swap_rule import swap_rule
from fleetdesk.workflows.edited_plan import RouteEdits, for_day, offered, routed, told
from fleetdesk.workflows.known import Known, known
from fleetdesk.workflows.moment import Moment, parkings, vans
from fleetdesk.workflows.past import Past, look_back, rule_notes
from fleetdesk.workflows.plan_notes import about_faults, about_records, about_routes
from fleetdesk.workflows.progress import SEARCHING, OnProgress, part, silent
from fleetdesk.workflows.so_far import Row, rest_unused, so_far
from fleetdesk.workflows.task_pay import task_pay
from fleetdesk.workflows.travel import travel_times, wishes

NO_EDITS = Edits()


@dataclass(frozen=True)
class DayPlan:
    """All that was worked out for one day; `plan.dropped` holds every task without a route.

    `adds` is what each planned task adds to the profit, in city currency: with it less without it.
    `past` is None where nobody wanted to look back. `problem` is what the routes were made from.
    `done` are the rows of the sheet Routes that were done before the rest of a day was planned.
    """

    moment: Moment
    fleet: tuple[VehicleNow, ...]
    tasks: tuple[Task, ...]
    rois: Mapping[str, TaskRoi]
    priorities: tuple[Priority, ...]
    plan: Plan
    vans: tuple[Van, ...]
    downstream: DownstreamRevenue
    history: History
    findings: tuple[Finding, ...]
    past: Past | None
    offers: tuple[Offer, ...]
    kpis: tuple[Kpi, ...]
    ledger: pa.Table
    cycle_length: CycleLength
    adds: Mapping[str, float]
    notes: tuple[Problem, ...]
    edits: RouteEdits
    problem: RoutingProblem
    limits: tuple[LimitWorth, ...] = ()
    done: tuple[Row, ...] = ()
    no_parking: tuple[NoParking, ...] = ()

    @property
    def cell_rates(self) -> Mapping[str, float]:
        """Revenue per operational hour of each cell over the week, in city currency."""
        return {cell: support.rate_per_h for cell, support in self.cell_support.items()}

    @property
    def cell_support(self) -> Mapping[str, CellRate]:
        """The same with the vehicle hours behind it."""
        return {
            cell: CellRate(rate.per_h, rate.support_h)
            for cell, rate in self.downstream.cell_rates.items()
        }


def plan_day(
    store: Store,
    settings: Settings,
    *,
    folder: Path = Path(),
    record: Known | None = None,
    edits: Edits = NO_EDITS,
    looking_back: bool = True,
    on_progress: OnProgress = silent,
) -> DayPlan:
    """Plan the day that the City sheet asks for on what the store holds.

    A relative path in the settings is seen from the workspace's `folder`. `record` is what may be
    known then, where it was read already. `edits` are the planner's on the last plan; the new one
    keeps those that can be driven. Past tasks are valued where `looking_back` or where thresholds
    are learnt from them. Nothing after the moment of planning is looked at. Raises NotEnoughData
    when the store has no records up to then.
    """
    on_progress("Following the vehicles through their cycles", 0.0)
    record = record or known(store, settings)
    now, tables, history = record.moment, record.tables, record.history
    downstream = _downstream(history, settings)
    past = None
    if looking_back or settings.thresholds.threshold_scope != "sheet":
        on_progress("Valuing past tasks", 0.25)
        past = look_back(history, downstream, settings)
    on_progress("Looking at the fleet", 0.4)
    fleet = _fleet(tables, settings, now.as_of)
    on_progress("Weighing tasks", 0.45)
    rule = swap_rule(fleet, downstream, settings, now.starts_at, past.policy if past else None)
    facts = vehicle_facts(tables, fleet, settings, now.as_of)
    found_tasks = candidates(fleet, parkings(settings), settings, rule.why, facts)
    here = so_far(
        store, now, found_tasks, vans(settings, now.day), edits.done, fleet, settings.city.timezone
    )
    tasks, crew = here.tasks, here.vans
    rois = {roi.task_id: roi for roi in task_rois(tasks, downstream, settings, now.starts_at)}
    priorities = prioritise(tasks, rois, settings)
    edits = for_day(here.open(edits), now.day, tasks)
    selected = hold_back(select(tasks, rois, priorities, settings), settings, now.day)
    chosen = offered(selected, tasks, edits)
    pay, pay_notes = task_pay(store, history, chosen.tasks, rois, settings, now.day)
    problem = build(
        chosen.tasks, rois, chosen.bonuses, crew, travel_times(settings, folder),
        settings.city.currency, wishes(settings),
    )  # fmt: skip
    effort = settings.city.search_effort
    report = _rounds(part(on_progress, 0.5, 0.85), effort, settings.city.currency)
    found = routed(
        problem,
        edits,
        effort,
        settings.city.seed,
        report,
        lambda done, of: on_progress(f"Pricing your edits, {done} of {of} done", 0.85),
    )
    edited = told(edits, found.outcomes)
    on_progress("Adding up the key figures", 0.85)
    figures = key_figures(tables, fleet, parkings(settings), settings, history)
    limits = _limits(problem, found, settings, on_progress)
    plan = replace(found.plan, dropped=(*chosen.dropped, *found.plan.dropped))
    return DayPlan(
        moment=now,
        fleet=fleet,
        tasks=tasks,
        rois=rois,
        priorities=priorities,
        plan=plan,
        vans=crew,
        downstream=downstream,
        history=history,
        findings=record.findings,
        past=past,
        offers=pay,
        kpis=figures.kpis,
        ledger=figures.ledger,
        cycle_length=figures.cycle_length,
        adds={
            task_id: adds / 1000 for task_id, adds in marginal(problem, found.plan.routes).items()
        },
        notes=(
            *about_faults(record.findings),
            *about_records(now, settings, downstream, priced=_prices_count(tables)),
            *about_routes(plan, problem, tasks, crew, limits, settings),
            *edited.notes,
            *(past.notes if past else ()),
            *rule_notes(rule, settings),
            *pay_notes,
            *here.notes,
            *rest_unused(now, settings),
        ),
        edits=edited,
        problem=problem,
        limits=limits,
        done=here.rows,
        no_parking=no_parking(tables, settings, now.as_of),
    )


def _downstream(history: History, settings: Settings) -> DownstreamRevenue:
    """What vehicles will earn: as records tell, or as the sheet assumes until there are some."""
    try:
        return estimate(history, settings)
    except NotEnoughData:
        return assumed(history, settings)


def _fleet(
    tables: Mapping[str, Any], settings: Settings, as_of: datetime
) -> tuple[VehicleNow, ...]:
    rows = vehicles_now(
        tables["events"],
        tables["telemetry"],
        tables["sightings"],
        tables["trips"],
        as_of,
    )
    return fleet_now(rows.to_pyarrow().to_pylist(), parkings(settings), as_of)


def _limits(
    problem: RoutingProblem, found: Replanned, settings: Settings, on_progress: OnProgress
) -> tuple[LimitWorth, ...]:
    share = settings.travel.limits_effort_pct / 100
    if not share or not problem.jobs:
        return ()
    # Who has waited enough for the routes does not wait for this either.
    searched = min(settings.city.search_effort, found.plan.iterations)
    rounds = round(searched * share)
    on_progress("Working out what the limits hold back", 0.95)
    return worth_of_limits(
        problem, found.plan, Iterations(rounds), settings.city.seed, rules=found.rules
    )


def _rounds(on_progress: OnProgress, effort: int, currency: str) -> Any:
    def report(progress: Progress) -> None:
        best = f"{progress.profit_milli / 1000:.2f} {currency} from {progress.planned_tasks} tasks"
        on_progress(f"{SEARCHING}: {best} so far", min(1.0, progress.iterations / effort))

    return report


def _prices_count(tables: Mapping[str, Any]) -> bool:
    """Whether the sheet's prices count: no trip is known, or some without their revenue."""
    trips = tables["trips"]
    recorded = trips.revenue.notnull().all()
    return not (trips.count().execute() and recorded.execute())
