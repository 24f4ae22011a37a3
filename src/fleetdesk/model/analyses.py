"""The one list of analyses, in the order of their sheets; a name here is a module in answers."""

from __future__ import annotations

from fleetdesk.model.analysis import Analysis, Group
from fleetdesk.model.package_analyses import PACKAGE_ANALYSES

PLAN = Analysis(
    name="plan",
    title="Plan of the day",
    question="Which tasks are worth doing, and who does them in what order?",
    group=Group.PLAN,
    inputs=(
        "trips", "events", "telemetry", "sightings", "service_tasks", "complaints", "zones",
        "vehicles",
    ),
    settings=(
        "city", "weights", "thresholds", "task_rules", "costs", "workers", "parkings", "mail",
    ),
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

SEGMENTS = Analysis(
    name="segments",
    title="Segments of riders",
    question="Who are the riders, by what they do?",
    group=Group.RIDERS,
    inputs=("riders", "trips", "subscriptions", "payments", "rider_swaps"),
    settings=("segments", "riders", "city"),
    sheets=(
        "Rider segments", "Segment numbers", "RFM", "Sub-segments", "Unusual riders",
        "Riders by segment",
    ),
    page="analyses/segments.md",
)  # fmt: skip

CHURN = Analysis(
    name="churn",
    title="Riders who leave",
    question="Who is about to leave, and what is it worth to keep them?",
    group=Group.RIDERS,
    inputs=("riders", "trips", "subscriptions", "payments", "complaints", "rider_swaps"),
    settings=("churn", "lifetime_value", "riders", "city"),
    sheets=(
        "Churn risk", "Churn by package", "Churn profit", "Churn model", "Churn calibration",
        "Churn drivers", "Bias audit", "Churn by rider",
    ),
    page="analyses/churn.md",
)  # fmt: skip

RETENTION = Analysis(
    name="retention",
    title="How long riders stay",
    question="How long do riders stay in a package, and when do they leave?",
    group=Group.RIDERS,
    inputs=("riders", "subscriptions"),
    settings=("retention", "riders", "city"),
    sheets=("Retention curves", "Retention hazard", "Retention by package", "Retention factors"),
    page="analyses/retention.md",
)

LIFETIME_VALUE = Analysis(
    name="lifetime_value",
    title="What riders are worth",
    question="What is each rider still worth?",
    group=Group.RIDERS,
    inputs=("riders", "trips", "subscriptions", "payments"),
    settings=("lifetime_value", "riders", "city"),
    sheets=("Rider value", "Value by group", "Value by rider"),
    page="analyses/lifetime-value.md",
)

ANALYSES: tuple[Analysis, ...] = (
    PLAN,
    SEGMENTS,
    CHURN,
    RETENTION,
    LIFETIME_VALUE,
    MAIL,
    *PACKAGE_ANALYSES,
)
_BY_NAME = {known.name: known for known in ANALYSES}


def analysis(name: str) -> Analysis:
    """The analysis of this name; KeyError when there is none."""
    return _BY_NAME[name]
