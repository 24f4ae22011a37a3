"""A share of the tasks is left undone at random: only so can the cost of leaving be learnt.

Tasks that a rule leaves undone differ from those it does; a drawn lot makes them alike.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from hashlib import sha256

from fleetdesk.model.plan import DropCode, Dropped
from fleetdesk.settings.schema import Settings
from fleetdesk.tasks.select import Selection


def hold_back(selection: Selection, settings: Settings, day: date) -> Selection:
    """Take the drawn tasks out; the draw hangs on seed, day and task alone, not on the others.

    What must be done is never drawn.
    """
    share_pct = settings.thresholds.hold_back_pct
    drawn = {
        task.task_id
        for task in selection.tasks
        if not task.must and 100 * lot(settings.city.seed, day, task.task_id) < share_pct
    }
    if not drawn:
        return selection
    reason = (
        f"held back at random: {share_pct:g} % of the tasks are left undone on purpose, so that "
        "the cost of leaving is learnt"
    )
    left = tuple(
        Dropped(
            task.task_id,
            DropCode.HELD_BACK,
            reason,
            "0 in Thresholds: Tasks left undone on purpose",
        )
        for task in selection.tasks
        if task.task_id in drawn
    )
    kept = tuple(task for task in selection.tasks if task.task_id not in drawn)
    return replace(selection, tasks=kept, dropped=(*selection.dropped, *left))


def lot(seed: int, day: date, task_id: str) -> float:
    """A number in [0, 1) drawn for a task of a day, the same whenever it is asked for."""
    digest = sha256(f"{seed}|{day.isoformat()}|{task_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
