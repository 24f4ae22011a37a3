"""Offers to workers who are paid by the task, from how earlier offers were answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date

import numpy as np

from fleetdesk.errors import Problem, Severity
from fleetdesk.features.calendar import naive_utc
from fleetdesk.fleet.history import History
from fleetdesk.model.work import Task, TaskRoi
from fleetdesk.settings.schema import Settings
from fleetdesk.store.base import Store
from fleetdesk.tasks.pricing import OFFERS_NEEDED, Acceptance, Offer, learn, offers, prior
from fleetdesk.workflows.done_against_planned import DAY, earlier_tasks
from fleetdesk.workflows.record import Record


def task_pay(
    store: Store,
    history: History,
    tasks: Sequence[Task],
    rois: Mapping[str, TaskRoi],
    settings: Settings,
    day: date,
) -> tuple[tuple[Offer, ...], tuple[Problem, ...]]:
    """The offers and what they rest on; nothing where workers are paid by the hour."""
    if not settings.costs.pay_per_task:
        return (), ()
    acceptance, basis = _acceptance(store, history, settings)
    note = Problem(
        "Costs & prices", "", "Pay per task rests on", basis, "", Severity.NOTE,
    )  # fmt: skip
    return offers(tasks, rois, acceptance, settings, day), (note,)


def _acceptance(store: Store, history: History, settings: Settings) -> tuple[Acceptance, str]:
    """Learnt from earlier runs' offers; one counts as accepted when the vehicle was served."""
    start = prior(settings)
    record = Record.of(history, settings)
    answered = [
        (task.offered, record.was_served(task.vehicle_id, first, first + DAY))
        for task in earlier_tasks(store, settings)
        if task.offered is not None and task.start + DAY <= history.as_of
        for first in (naive_utc(task.start.astimezone(UTC)),)
    ]
    if len(answered) < OFFERS_NEEDED:
        lowest = settings.costs.lowest_task_pay
        return start, (
            f"an assumption, because {len(answered)} of the {OFFERS_NEEDED} answered offers needed "
            f"are on record: 1 in 10 workers takes a task at {lowest:g}, half at {1.5 * lowest:g}"
        )
    prices, taken = zip(*answered, strict=True)
    learnt = learn(np.array(prices, dtype=np.float64), np.array(taken, dtype=bool), start)
    return learnt, f"{len(answered)} answered offers of earlier runs"
