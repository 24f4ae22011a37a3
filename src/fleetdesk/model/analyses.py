"""The one list of analyses, in the order of their sheets; a name here is a module in answers."""

from __future__ import annotations

from fleetdesk.model.analysis import Analysis, Group

PLAN = Analysis(
    name="plan",
    title="Plan of the day",
    question="Which tasks are worth doing, and who does them in what order?",
    group=Group.PLAN,
    inputs=("trips", "events", "telemetry", "sightings", "service_tasks"),
    settings=("city", "weights", "thresholds", "costs", "workers", "parkings"),
    sheets=(
        "KPIs", "Battery", "Availability", "Tasks", "Routes", "Workload", "Load profile", "Limits",
        "Left out",
        "ROI", "Task history", "Task totals", "Thresholds result", "Threshold returns",
        "Thresholds by cell", "Sandbox", "Planned and done", "Fleet state", "Operating cycles",
        "Operational time", "Operational time by cell",
    ),
    page="routes.md",
    asked=True,
)  # fmt: skip

MAIL = Analysis(
    name="mail",
    title="Mail the routes",
    question="Send each worker the route of the last plan, if it was not sent yet?",
    group=Group.PLAN,
    inputs=(),
    settings=("mail", "workers", "parkings", "city"),
    sheets=("Mail log",),
    page="mail.md",
    action=True,
)

ANALYSES: tuple[Analysis, ...] = (PLAN, MAIL)
_BY_NAME = {known.name: known for known in ANALYSES}


def analysis(name: str) -> Analysis:
    """The analysis of this name; KeyError when there is none."""
    return _BY_NAME[name]
