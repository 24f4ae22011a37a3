"""What a planner should know about a day's plan though it stopped nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from fleetdesk.errors import Problem, Severity
from fleetdesk.fleet.estimator import DownstreamRevenue
from fleetdesk.model.findings import Done, Finding
from fleetdesk.model.plan import DropCode, LimitWorth, Plan, Route
from fleetdesk.model.work import Task, Van
from fleetdesk.routes.problem import RoutingProblem, RoutingVan
from fleetdesk.settings.schema import Settings
from fleetdesk.workflows.moment import Moment, parkings

STALE = timedelta(days=2)
EARLY = timedelta(hours=1)
FAR_KM = 10
MUCH_PCT = 10
"""Faults of so many of a table's rows are told where a run is looked at first."""
MOST_NAMED = 5
"""So many of a kind are named, of the others it is said how many there are."""


def about_records(
    now: Moment, settings: Settings, downstream: DownstreamRevenue, *, priced: bool
) -> tuple[Problem, ...]:
    """What is special about the records; `priced` = the sheet's prices count for some trips."""
    notes = [Problem("ROI", "", "", text, severity=Severity.NOTE) for text in downstream.notes]
    notes += _settings_without_use(downstream.estimator, settings)
    if not parkings(settings):
        notes.append(
            Problem(
                "Parkings", "", "No parking is in use,", "so only the battery rule makes tasks",
                "List parkings to bring vehicles in and to fill parkings", Severity.NOTE,
            )
        )  # fmt: skip
    if not priced:
        notes.append(
            Problem(
                "Costs & prices", "", "All trips carry the revenue that was recorded,",
                "so the unlock price and the prices per minute and km change nothing",
                "", Severity.NOTE,
            )
        )  # fmt: skip
    if now.starts_at - now.as_of > STALE:
        days = (now.starts_at - now.as_of).days
        notes.append(
            Problem(
                "City", "", f"The last record is {days} days before the day planned",
                "and the fleet may have moved since", "Import newer records", Severity.WARNING,
            )
        )  # fmt: skip
    return tuple(notes)


def about_faults(findings: Sequence[Finding]) -> tuple[Problem, ...]:
    """The faults that many rows have: what rests on the others may be far from the whole."""
    becomes = {
        Done.LEFT_OUT: "were left out", Done.BLANKED: "have a value that was ignored",
        Done.KEPT: "are odd, but were kept",
    }  # fmt: skip
    return tuple(
        Problem(
            "Data quality", "",
            f"{100 * found.rows / found.of:.0f} % of the {found.table.replace('_', ' ')} "
            f"{becomes[found.done]}:",
            found.fault, "Mend them where they come from, and import them again", Severity.WARNING,
        )
        for found in findings
        if found.rows * 100 >= MUCH_PCT * found.of > 0
    )  # fmt: skip


def _settings_without_use(estimator: str, settings: Settings) -> list[Problem]:
    """Margins and finer cells where an estimator ran that has none."""
    wanted = settings.thresholds
    unmet = [
        what for what, asked in (
            ("margins: Low end and High end on Tasks stay empty", wanted.bootstrap_rounds > 0),
            ("finer cells: rates are those of the whole cell", wanted.fine_cells),
        ) if asked
    ]  # fmt: skip
    if not unmet or not estimator.startswith(("v0", "Method 1")):
        return []
    fix = "" if wanted.estimator == "Method 2" else "Choose Method 2 in ROI estimated by"
    ran = estimator.rpartition(",")[0]
    return [
        Problem("Thresholds", "", f"{ran} has no {what}", "", fix, Severity.NOTE) for what in unmet
    ]


def about_routes(
    plan: Plan,
    problem: RoutingProblem,
    tasks: Sequence[Task],
    crew: Sequence[Van],
    limits: Sequence[LimitWorth],
    settings: Settings,
) -> tuple[Problem, ...]:
    """What is special about the routes: who has none, which duties are on none, and the like."""
    out = {route.worker: route for route in plan.routes if route.visits}
    return (
        *_no_task(tasks),
        *_duties_left(plan, tasks),
        *_no_route(plan, tasks, crew, out),
        *_some_stay(problem, out),
        *_no_street(problem, settings),
        *_at_a_loss(plan, tasks, settings),
        *_out_of_batteries(crew, out, limits, settings),
    )


def _no_task(tasks: Sequence[Task]) -> tuple[Problem, ...]:
    if tasks:
        return ()
    return (
        Problem(
            "Tasks", "", "There is nothing to do:", "no rule finds a task for any vehicle",
            "Check the limits on Thresholds and the rules on Task rules", Severity.NOTE,
        ),
    )  # fmt: skip


def _duties_left(plan: Plan, tasks: Sequence[Task]) -> tuple[Problem, ...]:
    """Tasks that must be done and are on no route, but for those that the planner excluded."""
    duties = {task.task_id for task in tasks if task.must}
    left = [
        drop for drop in plan.dropped
        if drop.task_id in duties and drop.code is not DropCode.EXCLUDED
    ]  # fmt: skip
    if not left:
        return ()
    first, more = left[0], len(left) - 1
    others = f"; {more} more on the sheet" if more else ""
    return (
        Problem(
            "Tasks", "", f"{len(left)} of {len(duties)} tasks that must be done are on no route,",
            f"such as {first.task_id}: {first.reason}{others}",
            f"Would help: {first.would_help}" if first.would_help else "", Severity.WARNING,
        ),
    )  # fmt: skip


def _no_route(
    plan: Plan, tasks: Sequence[Task], crew: Sequence[Van], out: dict[str, Route]
) -> tuple[Problem, ...]:
    """Nobody goes out though there are workers and tasks; what most tasks lack."""
    if out or not (tasks and crew and plan.dropped):
        return ()
    counts = Counter(drop.code for drop in plan.dropped).most_common()
    why = ", ".join(f"{code.value} ({count})" for code, count in counts)
    return (
        Problem(
            "Routes", "", "Nobody has a route;", f"what keeps the tasks out: {why}",
            "The sheet Tasks says for each what would help", Severity.WARNING,
        ),
    )  # fmt: skip


def _some_stay(problem: RoutingProblem, out: dict[str, Route]) -> tuple[Problem, ...]:
    """Workers who stay at home while others go out; a start far from all work is told."""
    idle = [van for van in problem.vans if van.shift_s and van.worker not in out]
    if not out or not idle:
        return ()
    return (
        Problem(
            "Workers & vans", "", f"No route for {_list([_stays(problem, van) for van in idle])}:",
            "none was found that brings more than it costs", "", Severity.NOTE,
        ),
    )  # fmt: skip


def _stays(problem: RoutingProblem, van: RoutingVan) -> str:
    if not (van.batteries or van.batteries_full or van.vehicles):
        return f"{van.worker} (no batteries, no room for vehicles)"
    spots = [job.point for job in problem.jobs]
    km = problem.matrix_of(van).distance_m[van.start, spots].min() / 1000
    return f"{van.worker} ({km:.0f} km from the nearest task)" if km > FAR_KM else van.worker


def _no_street(problem: RoutingProblem, settings: Settings) -> tuple[Problem, ...]:
    """Places that no street leads to: what stands there and whose round begins or ends there."""
    lost = {point for matrix in problem.matrices for point in matrix.cut_off}
    starts = [van.worker for van in problem.vans if {van.start, van.end} & lost]
    stops = [
        f"{job.task_id} ({place})"
        for job in problem.jobs
        for point, place in ((job.point, job.place), (job.drop_off_point, job.drop_off_place))
        if point in lost
    ]
    named = [*(f"the start or end of {worker}" for worker in starts), *stops]
    if not named:
        return ()
    return (
        Problem(
            "Routes & travel", "", f"No street of {Path(settings.travel.road_file).name} leads to",
            f"{_list(named)}; ways there are estimated as if one did",
            "Exclude on the sheet Routes what a van cannot reach, or correct the road file",
            Severity.WARNING,
        ),
    )  # fmt: skip


def _at_a_loss(plan: Plan, tasks: Sequence[Task], settings: Settings) -> tuple[Problem, ...]:
    """Why a plan that loses money was made all the same: duties, the bonus, or the edits."""
    if plan.profit_milli >= 0:
        return ()
    duties = sum(task.must and task.task_id in plan.planned_task_ids for task in tasks)
    bonus = settings.weights.bonus_at_full_priority
    sheet, whys, fixes = "Routes", [], []
    if bonus:
        sheet = "Weights"
        whys.append(f"the bonus at priority 100 is {bonus:g} {settings.city.currency}")
        fixes.append("lower the bonus to plan only what pays")
    if duties:
        sheet = "Tasks"
        whys.append(f"{duties} of them must be done")
        fixes.append("clear Must do on Task rules where work may wait")
    if not whys:
        whys.append("edits keep tasks on the routes that do not pay")
        fixes.append("the column Edit costs says which")
    why, fix = f"because {' and '.join(whys)}", ", or ".join(fixes)
    return (
        Problem(
            sheet, "", "The planned tasks cost more than they earn,", why,
            fix[0].upper() + fix[1:], Severity.NOTE,
        ),
    )  # fmt: skip


def _out_of_batteries(
    crew: Sequence[Van], out: dict[str, Route], limits: Sequence[LimitWorth], settings: Settings
) -> tuple[Problem, ...]:
    """Who comes home early with no battery left, and what the most worthwhile change brings."""
    early = [
        van.worker
        for van in crew
        if (route := out.get(van.worker))
        and van.shift_end - route.end_at > EARLY
        and route.visits[-1].batteries_left == 0
    ]
    best = max(limits, key=lambda worth: worth.profit_milli, default=None)
    if not early or best is None or best.profit_milli <= 0:
        return ()
    who = " and ".join(early)
    return (
        Problem(
            "Limits", "", f"The batteries are used up before the shift of {who} ends;",
            f"{best.what} would bring {best.profit_milli / 1000:.2f} {settings.city.currency} more",
            "Raise Most reloads on Routes & travel, or the batteries on Workers & vans",
            Severity.NOTE,
        ),
    )  # fmt: skip


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
