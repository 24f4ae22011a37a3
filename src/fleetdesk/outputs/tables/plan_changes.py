"""What a plan changes against the last one of the same day, task by task."""

from __future__ import annotations

from collections.abc import Mapping

from fleetdesk.model.plan import Plan


def plan_changes(
    plan: Plan, before: Mapping[str, str] | None, tasks: frozenset[str]
) -> Mapping[str, str]:
    """A few words for each task whose worker is another one; unchanged ones are absent.

    `before` is each task's worker in the last plan, "" where it was on no route; None without an
    earlier plan of that day. `tasks` are those of now. Another number in the same worker's order
    is no change: it moves with every task that comes or goes.
    """
    if before is None:
        return {}
    now = {visit.task_id: route.worker for route in plan.routes for visit in route.visits}
    found = {task_id: _words(before.get(task_id), now.get(task_id, "")) for task_id in tasks}
    return {task_id: words for task_id, words in found.items() if words}


def _words(was: str | None, is_now: str) -> str:
    if was is None:
        return f"new task, {is_now}" if is_now else "new task"
    if was == is_now:
        return ""
    if not was:
        return f"now planned, {is_now}"
    if not is_now:
        return f"no longer planned, was {was}"
    return f"from {was} to {is_now}"
