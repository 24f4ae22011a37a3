"""The same search in a process of its own: the planner's window stays quick, and cancel is obeyed.

OR-Tools and PyVRP do not give way to other threads for long, and an assertion in their C++ ends
the process; here it ends the child, and the best plan that it told of is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection

from fleetdesk.errors import FleetDeskError
from fleetdesk.model.plan import Plan
from fleetdesk.routes import solve
from fleetdesk.routes.problem import RoutingProblem
from fleetdesk.routes.solve import Progress
from fleetdesk.routes.stop import Stop

LOOK_EVERY_S = 0.02


def plan_apart(
    problem: RoutingProblem,
    stop: Stop,
    seed: int,
    warm_start: Plan | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Plan:
    """`solve.plan` in a spawned process, with the same answer for the same arguments.

    When `cancel()` turns true, the process is ended at once and the best plan that it told of is
    kept. FleetDeskError (a retry may help) when it ends by itself before it found any plan.
    """
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(
        target=_search, args=(theirs, problem, stop, seed, warm_start), daemon=True
    )
    child.start()
    theirs.close()
    best: Progress | None = None
    try:
        while not (cancel and cancel()):
            if not ours.poll(LOOK_EVERY_S):
                continue
            try:
                message = ours.recv()
            except EOFError:
                break
            if isinstance(message, Plan):
                return message
            if isinstance(message, Exception):
                raise message
            best = message
            if on_progress:
                on_progress(message)
    finally:
        # What is still searching is not wanted any more; what has sent its plan is ending anyway.
        child.terminate()
        child.join()
        ours.close()
    if best is None:
        if cancel and cancel():
            return solve.as_plan(problem, solve.begun(problem, warm_start), seed, 0)
        raise FleetDeskError(
            "The search for routes ended before it found a plan",
            found=f"its process ended with code {child.exitcode}",
            fix="Close other programs if memory is short, then plan again",
            retry_helps=True,
        )
    return solve.as_plan(problem, best.sequences, seed, best.iterations)


def _search(
    pipe: Connection, problem: RoutingProblem, stop: Stop, seed: int, warm_start: Plan | None
) -> None:
    """The child's work: every progress, then the plan or the error."""
    try:
        pipe.send(solve.plan(problem, stop, seed, warm_start, on_progress=pipe.send))
    except FleetDeskError as error:
        pipe.send(error)
    finally:
        pipe.close()
