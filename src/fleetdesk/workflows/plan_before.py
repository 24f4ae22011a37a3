"""Who did which task in the last plan of the same day, so that a plan can say what it changes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from fleetdesk.errors import StoreUnusable
from fleetdesk.store.base import Store
from fleetdesk.workflows.kept_results import last_plan


def workers_before(store: Store, day: date) -> Mapping[str, str] | None:
    """Each task's worker in the last finished plan, "" where it was on no route.

    None when there is none, when it was for another day, or when its results were not kept.
    """
    last = last_plan(store)
    if last is None or last.summary["day"] != day.isoformat():
        return None
    try:
        tasks = store.result(last.run_id, "Tasks").to_pylist()
        stops = store.result(last.run_id, "Routes").to_pylist()
    except StoreUnusable:
        return None
    found = {row["Task"]: "" for row in tasks}
    return found | {row["Task"]: row["Worker"] for row in stops if row["Task"] and row["Worker"]}
